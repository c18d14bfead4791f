"""Objects in etcd, under etcd's own revisions; several API servers can share them."""
