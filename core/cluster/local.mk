# what core/cluster is made of
