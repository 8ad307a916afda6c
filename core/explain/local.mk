# what core/explain is made of
