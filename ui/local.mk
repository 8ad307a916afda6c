# what ui is made of
