// What Swift cannot reach by itself: libedit's variadic calls, stdio's global streams (mutable globals, which
// Swift 6 refuses), and the Linux calls that the Glibc module leaves out. Everything is `static inline`, so there is
// no C target to build.
#ifndef ZKCLI_CLIBEDIT_SHIM_H
#define ZKCLI_CLIBEDIT_SHIM_H

#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>

// Declared by <wchar.h> only under _XOPEN_SOURCE.
extern int wcwidth(wchar_t scalar);

static inline FILE *shim_stdin(void) { return stdin; }
static inline FILE *shim_stdout(void) { return stdout; }
static inline FILE *shim_stderr(void) { return stderr; }

static inline int shim_is_utf8(void) {
  const char *codeset = nl_langinfo(CODESET);
  return codeset[0] == 'U' && codeset[1] == 'T' && codeset[2] == 'F' && codeset[3] == '-' && codeset[4] == '8';
}

static inline int shim_el_set_int(EditLine *el, int operation, int value) { return el_set(el, operation, value); }

static inline int shim_el_set_editor(EditLine *el, const char *mode) { return el_set(el, EL_EDITOR, mode); }

static inline const char *shim_el_get_editor(EditLine *el) {
  const char *mode = 0;
  return el_get(el, EL_EDITOR, &mode) == 0 ? mode : 0;
}

static inline int shim_el_set_client(EditLine *el, void *client) { return el_set(el, EL_CLIENTDATA, client); }

static inline void *shim_el_get_client(EditLine *el) {
  void *client = 0;
  el_get(el, EL_CLIENTDATA, &client);
  return client;
}

static inline int shim_el_set_getc(EditLine *el, int (*_Nonnull read)(EditLine *, wchar_t *)) {
  return el_set(el, EL_GETCFN, read);
}

static inline int shim_el_set_prompt(EditLine *el, char *(*_Nonnull prompt)(EditLine *), char escape) {
  return el_set(el, EL_PROMPT_ESC, prompt, escape);
}

static inline int shim_el_add_function(EditLine *el, const char *name, const char *help,
                                       unsigned char (*_Nonnull function)(EditLine *, int)) {
  return el_set(el, EL_ADDFN, name, help, function);
}

static inline int shim_el_bind(EditLine *el, const char *key, const char *function) {
  return el_set(el, EL_BIND, key, function, (char *)0);
}

// The key map of vi's command mode.
static inline int shim_el_bind_alternative(EditLine *el, const char *key, const char *function) {
  return el_set(el, EL_BIND, "-a", key, function, (char *)0);
}

static inline int shim_el_refresh(EditLine *el) { return el_set(el, EL_REFRESH); }

// A numeric terminal capability, such as "co"; -1 when there is none.
static inline int shim_el_number(EditLine *el, const char *capability) {
  int value = -1;
  return el_get(el, EL_GETTC, capability, &value) == 0 ? value : -1;
}

// Whether the terminal has a string capability, such as "up".
static inline int shim_el_has(EditLine *el, const char *capability) {
  char *value = 0;
  return el_get(el, EL_GETTC, capability, &value) == 0 && value != 0 && value[0] != 0;
}

static inline int shim_el_set_history(EditLine *el, History *events) { return el_set(el, EL_HIST, history, events); }

static inline int shim_history_set_size(History *events, int size) {
  HistEvent event;
  return history(events, &event, H_SETSIZE, size);
}

static inline int shim_history_enter(History *events, const char *line) {
  HistEvent event;
  return history(events, &event, H_ENTER, line);
}

#endif
