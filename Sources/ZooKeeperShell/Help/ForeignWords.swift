/// Words that people bring from other shells and programs, and what serves here.
enum ForeignWords {
  /// What to type instead of a command that does not exist; nil when the word is none of these.
  static func hint(for word: String) -> String? {
    switch word.lowercased() {
    case "edit", "vi", "vim", "nano", "emacs":
      "write the data to a file with get, edit the file, and store it with set PATH @FILE"
    case "mkdir", "touch", "add", "new", "put", "mknod": "create makes a znode, and set writes its data"
    case "write", "update", "replace", "save": "set writes the data of a znode"
    case "list", "dir", "ll", "la", "tree", "find": "ls lists children, ls -R a whole subtree"
    case "read", "show", "print", "more", "less", "head", "tail", "view": "get prints the data of a znode"
    case "del", "remove", "unlink", "rmdir", "erase": "delete deletes a znode, deleteall a whole subtree"
    case "cp", "copy", "mv", "move", "rename":
      "znodes cannot be copied or renamed in one step; use get, create and delete"
    case "chmod", "chown", "acl", "setfacl", "getfacl": "getAcl prints who may do what, and setAcl changes it"
    case "login", "auth", "su": "addauth proves an identity"
    case "bye", "logout", "leave", "end": "quit leaves the shell"
    case "man", "?", "usage": "help explains commands"
    case "du", "df", "count", "wc":
      "getAllChildrenNumber counts the znodes under a path, and listquota shows bytes where there is a quota"
    default: nil
    }
  }
}
