# SPDX-License-Identifier: MIT
# The macros of ackline's configure.ac.

# ACKLINE_ENABLE(NAME, WHAT IT IS FOR, DEFAULT): --enable-NAME, which is yes or no and nothing else.
AC_DEFUN([ACKLINE_ENABLE], [
AC_ARG_ENABLE([$1], [AS_HELP_STRING([--m4_if([$3], [yes], [disable], [enable])-$1], [$2])],
	[AS_CASE([$enable_$1], [yes | no], [],
		[AC_MSG_ERROR([--enable-$1 takes yes or no, not '$enable_$1'])])],
	[enable_$1=$3])
])

# ACKLINE_DIRECTORY(NAME, WHAT IS PUT THERE, USUAL PLACE, [PKG-CONFIG MODULE], [ITS VARIABLE]):
# --with-NAME[=DIR]. Without it nothing is put anywhere; without DIR pkg-config is asked.
AC_DEFUN([ACKLINE_DIRECTORY], [
AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1@<:@=DIR@:>@], [install $2 in DIR])],
	[], [with_$1=no])
AS_CASE([$with_$1],
	[yes], [
		m4_ifval([$4], [$1=`$PKG_CONFIG --variable=$5 $4 2>/dev/null`], [$1=])
		test -n "[$]$1" || $1=$3],
	[no], [$1=no],
	[/*], [$1=$with_$1],
	['$'{*], [$1=$with_$1],
	[AC_MSG_ERROR([--with-$1 takes an absolute directory, not '$with_$1'])])
AC_SUBST([$1])
AM_CONDITIONAL(m4_toupper([INSTALL_$1]), [test "[$]$1" != no])
])

# ACKLINE_IF_FLAG(FLAG, IF TAKEN, IF NOT): whether a program builds with it, without a warning.
AC_DEFUN([ACKLINE_IF_FLAG], [
AC_MSG_CHECKING([whether $CC takes $1])
ackline_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS $1 -Werror"
AC_LINK_IFELSE([AC_LANG_SOURCE([[int main(void) { return 0; }]])],
	[ackline_taken=yes], [ackline_taken=no])
CFLAGS=$ackline_CFLAGS
AC_MSG_RESULT([$ackline_taken])
AS_IF([test $ackline_taken = yes], [$2], [$3])
])

# ACKLINE_CFLAG(FLAG): adds it where the compiler takes it.
AC_DEFUN([ACKLINE_CFLAG], [
ACKLINE_IF_FLAG([$1], [ACKLINE_CFLAGS="$ACKLINE_CFLAGS $1"])
])

# ACKLINE_REQUIRE_FLAG(FLAG, COMPLAINT)
AC_DEFUN([ACKLINE_REQUIRE_FLAG], [
ACKLINE_IF_FLAG([$1], [], [AC_MSG_ERROR([$2])])
])

# _ACKLINE_HARDEN_FLAG(NAME, FLAG, VARIABLE): adds the flag, and the name to the summary.
AC_DEFUN([_ACKLINE_HARDEN_FLAG], [
ACKLINE_IF_FLAG([$2], [
	$3="$$3 $2"
	hardening="$hardening${hardening:+, }$1"
])
])

# ACKLINE_HARDEN: what makes a mistake harder to exploit, as far as compiler and linker know it.
AC_DEFUN([ACKLINE_HARDEN], [
_ACKLINE_HARDEN_FLAG([stack protector], [-fstack-protector-strong], [ACKLINE_CFLAGS])
_ACKLINE_HARDEN_FLAG([stack clash], [-fstack-clash-protection], [ACKLINE_CFLAGS])
_ACKLINE_HARDEN_FLAG([control flow], [-fcf-protection], [ACKLINE_CFLAGS])
# A static program is not position independent: -pie and -static contradict each other.
AS_CASE([" $CC $CFLAGS $LDFLAGS "], [*\ -static\ *], [],
	[ACKLINE_IF_FLAG([-fPIE -pie], [
		ACKLINE_CFLAGS="$ACKLINE_CFLAGS -fPIE"
		ACKLINE_LDFLAGS="$ACKLINE_LDFLAGS -pie"
		hardening="$hardening${hardening:+, }PIE"
	])])
_ACKLINE_HARDEN_FLAG([RELRO], [-Wl,-z,relro], [ACKLINE_LDFLAGS])
_ACKLINE_HARDEN_FLAG([now], [-Wl,-z,now], [ACKLINE_LDFLAGS])
_ACKLINE_HARDEN_FLAG([no executable stack], [-Wl,-z,noexecstack], [ACKLINE_LDFLAGS])
_ACKLINE_FORTIFY
])

# _FORTIFY_SOURCE is of use only with optimisation, and in the way of a sanitizer.
AC_DEFUN([_ACKLINE_FORTIFY], [
AC_MSG_CHECKING([for _FORTIFY_SOURCE])
ackline_fortify=no
AS_IF([test "$enable_sanitizer" = no], [
	for ackline_level in 3 2; do
		ackline_CPPFLAGS=$CPPFLAGS
		ackline_CFLAGS=$CFLAGS
		CPPFLAGS="$CPPFLAGS -D_FORTIFY_SOURCE=$ackline_level"
		CFLAGS="$CFLAGS -Werror"
		AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#ifndef __OPTIMIZE__
#error no optimisation
#endif
#include <string.h>
]])], [ackline_fortify=$ackline_level])
		CPPFLAGS=$ackline_CPPFLAGS
		CFLAGS=$ackline_CFLAGS
		test $ackline_fortify = no || break
	done
])
AC_MSG_RESULT([$ackline_fortify])
AS_IF([test $ackline_fortify != no], [
	ACKLINE_CPPFLAGS="$ACKLINE_CPPFLAGS -D_FORTIFY_SOURCE=$ackline_fortify"
	hardening="$hardening${hardening:+, }_FORTIFY_SOURCE=$ackline_fortify"
])
])

# ACKLINE_CHECK_LIBRARY: sets CHECK_CFLAGS, CHECK_LIBS and the condition CHECK. The library is needed
# for the unit tests only, and pkg-config is not needed to find it.
AC_DEFUN([ACKLINE_CHECK_LIBRARY], [
AC_ARG_VAR([CHECK_CFLAGS], [flags for the check library's header])
AC_ARG_VAR([CHECK_LIBS], [the check library and what it needs])
AS_CASE([$with_check], [yes | no | auto], [],
	[AC_MSG_ERROR([--with-check takes yes or no, not '$with_check'])])
ackline_check=no
AS_IF([test "$with_check" != no], [
	AC_MSG_CHECKING([for the check library])
	test -n "$CHECK_CFLAGS" || CHECK_CFLAGS=`$PKG_CONFIG --cflags check 2>/dev/null`
	ackline_CFLAGS=$CFLAGS
	ackline_LIBS=$LIBS
	ackline_found=`$PKG_CONFIG --libs check 2>/dev/null`
	AS_IF([test -n "$CHECK_LIBS"], [set -- "$CHECK_LIBS"],
		[set -- "$ackline_found" -lcheck "-lcheck -lsubunit -lrt -lm" "-lcheck -lrt -lm"])
	for ackline_libs
	do
		CFLAGS="$CFLAGS -pthread $CHECK_CFLAGS"
		LIBS="$ackline_libs $LIBS"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <check.h>]],
				[[srunner_set_tap(srunner_create(NULL), "-");]])],
			[ackline_check=yes CHECK_LIBS=$ackline_libs])
		CFLAGS=$ackline_CFLAGS
		LIBS=$ackline_LIBS
		test $ackline_check = no || break
	done
	AC_MSG_RESULT([$ackline_check])
])
AS_CASE([$with_check:$ackline_check],
	[yes:no], [AC_MSG_ERROR([--with-check: the check library cannot be found])],
	[*:yes], [with_check=built],
	[*:no], [with_check='left out, the check library is missing'])
AM_CONDITIONAL([CHECK], [test $ackline_check = yes])
])

# ACKLINE_WITH(NAME, WHAT IT IS FOR, HEADER, FUNCTION, LIBRARIES, [DIRECTORY]): --with-NAME, off by default: a library
# that is asked for and cannot be found is an error. Sets the condition WITH_NAME and adds to ACKLINE_LIBS. The header
# is searched in the directory that pkg-config knows for NAME, too, or in the one that is given.
AC_DEFUN([ACKLINE_WITH], [
AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1], [$2])],
	[AS_CASE([$with_$1], [yes | no], [],
		[AC_MSG_ERROR([--with-$1 takes no value, not '$with_$1'])])],
	[with_$1=no])
AS_IF([test "$with_$1" = yes], [
	AC_MSG_CHECKING([for $1])
	ackline_LIBS=$LIBS
	ackline_CPPFLAGS=$CPPFLAGS
	LIBS="$5 $LIBS"
	m4_ifval([$6], [
		ackline_found=`$PKG_CONFIG --cflags $1 2>/dev/null`
		ACKLINE_CPPFLAGS="$ACKLINE_CPPFLAGS ${ackline_found:--I$6}"
		CPPFLAGS="$CPPFLAGS ${ackline_found:--I$6}"
	])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <$3>]], [[return !&$4;]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		AC_MSG_ERROR([--with-$1: <$3> and a library with $4() cannot be found; on Debian, ./bootstrap run --with-$1 installs it])])
	LIBS=$ackline_LIBS
	CPPFLAGS=$ackline_CPPFLAGS
	ACKLINE_LIBS="-Wl,--as-needed $5 $ACKLINE_LIBS"
])
AM_CONDITIONAL(m4_toupper([WITH_$1]), [test "$with_$1" = yes])
])
