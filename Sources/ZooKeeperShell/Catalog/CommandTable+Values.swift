/// Options of commands about the parts of a value.
enum ValueOptions {
  static let jsonPath = OptionSpec(
    .jsonPath, value: ("PATH", .word), "only the value at this path of a JSON text, such as $.a[0] or /a/0")
}

extension CommandTable {
  static let edits: [CommandSpec] = [
    CommandSpec(
      .client(.edit), "edit", summary: "Change the data of a znode in an editor", arguments: [SharedOptions.path],
      options: [
        OptionSpec(.editor, value: ("COMMAND", .word), "use this editor"),
        OptionSpec(.dryRun, "print what would be changed, and change nothing"),
        OptionSpec(.yes, short: "y", "do not ask before writing"),
      ],
      details: [
        "The editor is $VISUAL, $EDITOR or vi. On a terminal, the difference is shown and must be confirmed before"
          + " anything is written; otherwise the difference is printed. The data is only written if the znode still has"
          + " the version that was read. If another client has changed it, the editor is opened again with both texts.",
        "Data that was JSON must still be JSON, and a YAML mapping or list must still be one. The line end at the end,"
          + " which editors add, is only written if there was one before. The temporary file is accessible to no other"
          + " user, and is removed.",
      ],
      examples: [
        .init("edit /app/config", "in the default editor"),
        .init("edit --editor 'code --wait' /app/config", "in another editor"),
      ], writes: true)
  ]
}
