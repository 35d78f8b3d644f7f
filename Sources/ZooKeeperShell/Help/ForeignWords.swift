/// Words that people bring from other shells and programs, and what serves here.
enum ForeignWords {
  /// What to type instead of a command that does not exist; nil when the word is none of these.
  static func hint(for word: String) -> String? {
    switch word.lowercased() {
    case "edit", "vi", "vim", "nano", "emacs":
      "get the data into a file, edit that, and write it back with set PATH @FILE"
    case "mkdir", "touch", "add", "new", "put", "mknod": "create makes a znode, and set writes its data"
    case "write", "update", "replace", "save": "set writes the data of a znode"
    case "list", "dir", "ll", "la", "tree", "find": "ls lists children, ls -R a whole subtree"
    case "read", "show", "print", "more", "less", "head", "tail", "view": "get prints the data of a znode"
    case "del", "remove", "unlink", "rmdir", "erase": "delete deletes a znode, deleteall a whole subtree"
    case "cp", "copy", "mv", "move", "rename": "znodes cannot be copied or renamed; get, create and delete do the parts"
    case "chmod", "chown", "acl", "setfacl", "getfacl": "getAcl prints who may do what, setAcl changes it"
    case "login", "auth", "su": "addauth proves an identity"
    case "bye", "logout", "leave", "end": "quit leaves the shell"
    case "man", "?", "usage": "help explains commands"
    case "du", "df", "count", "wc": "getAllChildrenNumber counts the znodes under one, listquota tells bytes"
    default: nil
    }
  }
}
