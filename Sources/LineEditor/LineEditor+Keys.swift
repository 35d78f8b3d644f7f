import CLibEdit

#if canImport(Glibc)
  import Glibc
#endif

// libedit's callbacks are C functions, which find their editor in the client data of libedit's object.
extension LineEditor {
  /// Installs this object's callbacks for input, the prompt and keys in libedit.
  func installCallbacks() {
    shim_el_set_client(editLine, Unmanaged.passUnretained(self).toOpaque())
    // The library must not handle signals, which are read from a descriptor.
    shim_el_set_int(editLine, EL_SIGNAL, 0)
    shim_el_set_getc(editLine) { editLine, scalar in
      guard let editLine, let scalar else { return -1 }
      return LineEditor.of(editLine).readScalar(into: scalar)
    }
    shim_el_set_prompt(
      editLine, { editLine in editLine.flatMap { LineEditor.of($0).encodedPrompt } },
      CChar(Prompt.escapeMark.value))
    shim_el_add_function(editLine, "zk-complete", "Complete the argument, or list the candidates") { editLine, _ in
      UInt8(editLine.map { LineEditor.of($0).complete() } ?? CC_ERROR)
    }
    shim_el_add_function(editLine, "zk-end-or-delete", "Leave on an empty line, else delete") { editLine, _ in
      UInt8(editLine.map { LineEditor.of($0).endOrDelete() } ?? CC_ERROR)
    }
    shim_el_add_function(editLine, "zk-ignore", "Do nothing") { _, _ in UInt8(CC_NORM) }
  }

  /// Selects emacs' keys, applies `~/.editrc`, and binds our keys.
  func bindKeys() {
    shim_el_set_editor(editLine, "emacs")
    el_source(editLine, nil)
    // Our keys are bound last, because a change of mode resets all keys.
    shim_el_bind(editLine, "^I", "zk-complete")
    shim_el_bind(editLine, "^D", "zk-end-or-delete")
    shim_el_bind(editLine, "^R", "em-inc-search-prev")
    if String(cString: shim_el_get_editor(editLine)) == "vi" {
      // Single keys only, because libedit waits indefinitely for the rest of a sequence after an escape key.
      shim_el_bind_alternative(editLine, "^D", "zk-end-or-delete")
      return
    }
    let sequences = [
      ("\\e[H", "ed-move-to-beg"), ("\\e[1~", "ed-move-to-beg"),
      ("\\e[F", "ed-move-to-end"), ("\\e[4~", "ed-move-to-end"),
      ("\\e[3~", "ed-delete-next-char"),
      ("\\e[1;5C", "em-next-word"), ("\\e[1;5D", "ed-prev-word"),
      // The marks around pasted text, in case an earlier program has left bracketed paste enabled.
      ("\\e[200~", "zk-ignore"), ("\\e[201~", "zk-ignore"),
    ]
    for (key, function) in sequences { shim_el_bind(editLine, key, function) }
  }

  /// Handles ^D: ends the input on an empty line, and deletes the character under the cursor otherwise.
  private func endOrDelete() -> Int32 {
    let (line, cursor) = editedLine
    if line.isEmpty {
      writeToTerminal("\r\n")
      return CC_EOF
    }
    guard cursor < line.count else { return CC_ERROR }
    el_cursor(editLine, 1)
    el_deletestr(editLine, 1)
    return CC_REFRESH
  }

  private static func of(_ editLine: OpaquePointer) -> LineEditor {
    guard let client = shim_el_get_client(editLine) else {
      preconditionFailure("\(editLine) has no editor as its client data")
    }
    return Unmanaged<LineEditor>.fromOpaque(client).takeUnretainedValue()
  }
}
