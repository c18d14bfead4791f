"""Who may do what: role-based access control, as "Using RBAC Authorization" describes it."""
