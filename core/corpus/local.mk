# what core/corpus is made of
