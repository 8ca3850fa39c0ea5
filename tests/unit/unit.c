/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdarg.h>
#include <stdlib.h>

int unit_main(const char *name, TCase *first, ...)
{
	Suite *suite = suite_create(name);
	va_list cases;
	va_start(cases, first);
	for (TCase *test_case = first; test_case; test_case = va_arg(cases, TCase *))
		suite_add_tcase(suite, test_case);
	va_end(cases);

	SRunner *runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
