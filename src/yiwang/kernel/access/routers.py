"""Only the owner changes tables."""


class OwnerMigrates:
    def allow_migrate(self, db, app_label, **hints):
        return db == "owner"
