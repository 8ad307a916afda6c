# what core/compute is made of
