revoke update, delete, truncate on audit_auditevent from {app};
