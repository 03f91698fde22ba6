revoke update, delete, truncate on packs_packfile, packs_release from {app};
-- Going back to an earlier release puts it in force again: only the date moves, never what it holds.
grant update (loaded) on packs_release to {app};
