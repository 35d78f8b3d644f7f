// Nothing is to be called here: see CrowdLimit.c.
