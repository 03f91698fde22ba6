"""What the file of an enterprise is made of: tables, relations, facts that several datasets state. Pure."""
