# what src is made of
