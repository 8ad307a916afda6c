#!/bin/sh
# The layers hold: nothing under core/ prints, ends the process or knows a terminal, and of ui/ only the screen knows curses.
# Proved on the symbols that the built libraries ask for.
# shellcheck source=tests/shell_support.sh
. "${top_srcdir:-.}/tests/shell_support.sh"

prints='v?printf|__v?printf_chk|puts|putchar|putchar_unlocked|stdout|stderr|perror|psignal|v?(err|warn)x?'
ends='exit|_exit|_Exit|quick_exit|abort|__assert_fail'
curses='initscr|newterm|endwin|stdscr|curscr|newscr|acs_map|LINES|COLS|COLORS|COLOR_PAIRS|w(no)?utrefresh|w?refresh'
curses="$curses|w(noutrefresh|erase|clear|move|border|getch|get_wch|clrto.*|bkgd.*|attr.*|color_set|add.*|ins.*|scrl)"
curses="$curses|doupdate|mvw.*|newwin|delwin|start_color|use_default_colors|init_.*pair|init_.*color|has_colors"
curses="$curses|can_change_color|setcchar|curs_set|keypad|nodelay|cbreak|noecho|mousemask|getmouse|mouseinterval"
curses="$curses|resizeterm|resize_term|define_key|set_escdelay|setupterm|tigetstr|tigetnum|tigetflag|tparm|putp"

# The undefined symbols of FILE that match PATTERN whole, with the object each is in.
asks_for() { nm -A -u "$1" 2>/dev/null | grep -E "[[:space:]](U|w) ($2)(@.*)?\$" | sort -u; }

check() { # LIBRARY PATTERN CLAIM [OBJECT that may]
  if [ ! -f "$build_dir/$1" ]; then
    not_ok "$1 $3 (it was not built)"
    return
  fi
  found=$(asks_for "$build_dir/$1" "$2")
  if [ -n "${4-}" ]; then found=$(printf '%s\n' "$found" | grep -v "$4"); fi
  if [ -z "$found" ]; then
    ok "$1 $3"
  else
    not_ok "$1 $3"
    printf '%s\n' "$found" | sed 's/^/#   /'
  fi
}

if ! command -v nm >/dev/null; then
  echo "skip layers: nm is not installed"
  exit 77
fi
for library in base corpus compute cluster model explain stream import core; do
  check "lib$library.a" "$prints" "prints nothing"
  check "lib$library.a" "$ends" "never ends the process"
  check "lib$library.a" "$curses" "knows no terminal"
done
check libui.a "$curses" "draws through its screen only" 'screen\.o:'

# The same question put to what does print, end the process and draw: an answer must come, or those above mean nothing.
sees() { # FILE PATTERN CLAIM
  if [ -n "$(asks_for "$build_dir/$1" "$2")" ]; then ok "$3"; else not_ok "$3"; fi
}
sees kaboom "$prints" "the program is seen to print"
sees kaboom "$ends" "the program is seen to end"
sees kaboom "$curses" "the program is seen to draw"
none_failed
