# what tests is made of
