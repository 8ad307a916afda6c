# what core is made of
