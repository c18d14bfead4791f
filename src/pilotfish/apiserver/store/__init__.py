"""Where the API's objects are kept: in a file of SQLite, or in etcd, behind one interface."""
