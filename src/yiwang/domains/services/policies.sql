-- The catalogue is public: no row-level security. What was imported and what it changed is kept for good.
revoke update, delete, truncate on services_catalogueimport, services_cataloguechange from {app};
revoke delete, truncate on services_catalogueitem from {app};
