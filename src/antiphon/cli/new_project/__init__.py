"""`antiphon new`: a project that serves, with its tests, made from the files beside this one."""
