revoke update, delete, truncate on packs_packfile, packs_release from {app};
