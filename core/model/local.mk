# what core/model is made of
