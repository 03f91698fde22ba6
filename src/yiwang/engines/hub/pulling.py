def pull_due():
    return 0
