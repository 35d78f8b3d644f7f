/// Command names of other shells and programs, with hints to the commands here.
enum ForeignWords {
  /// The hint for a command that does not exist; nil if the name is not known from elsewhere.
  static func hint(for word: String) -> String? {
    switch word.lowercased() {
    case "vi", "vim", "nano", "emacs": "edit opens the data of a znode in an editor"
    case "mkdir", "touch", "add", "new", "put", "mknod": "create makes a znode, and set writes its data"
    case "write", "update", "replace", "save": "set writes the data of a znode"
    case "list", "dir", "ll", "la": "ls lists children, ls -l with details, ls -R a whole subtree"
    case "scan", "search", "locate": "find finds znodes, and grep searches in their values"
    case "read", "show", "print", "more", "less", "head", "tail", "view": "get prints the data of a znode"
    case "del", "remove", "unlink", "rmdir", "erase": "delete deletes a znode, deleteall a whole subtree"
    case "copy", "clone": "cp copies a znode, cp -R a subtree, also to another ensemble"
    case "move", "rename", "ren": "mv moves a znode with all znodes under it"
    case "dump", "backup", "save-tree": "export writes a subtree to a file"
    case "load", "restore": "import creates the znodes of a file"
    case "compare", "cmp": "diff compares two subtrees"
    case "sync-tree", "rsync", "replicate", "make-mirror": "mirror makes a subtree like another one"
    case "chmod", "chown", "setfacl", "getfacl": "getAcl prints who may do what, setAcl and acl add change it"
    case "login", "auth", "su": "addauth proves an identity"
    case "bye", "logout", "leave", "end": "quit leaves the shell"
    case "clear", "cls": "^L clears the screen"
    case "select", "switch", "cluster", "profile":
      "use changes to a cluster of the configuration file, connect to other servers"
    case "incr", "incrby": "counter adds to a number that several processes share"
    case "subscribe", "monitor", "tail-f": "watch follows changes"
    case "man", "?", "usage": "help explains commands"
    case "df", "count", "wc", "bigkeys": "du counts znodes and bytes, and du --top lists the largest"
    default: nil
    }
  }
}
