/* SPDX-License-Identifier: MIT */
/* The reports for programs. */
#include <time.h>

#include "base/clock.h"
#include "measure/hdr_log.h"
#include "measure/report_text.h"

bool report_hdr(struct buffer *buffer, const struct result *result)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail on Linux */
	int64_t began = now.tv_sec * CLOCK_SECOND + now.tv_nsec - result->elapsed;
	int64_t measured = result_measured(result), start = result->elapsed - measured;
	return hdr_log_header(buffer, result->program, began) &&
	       hdr_log_interval(buffer, NULL, start, measured, result->latency) &&
	       (!result->uncorrected ||
		hdr_log_interval(buffer, "raw", start, measured, result->uncorrected)) &&
	       (!result->error || hdr_log_comment(buffer, result->error));
}

bool report_alone(struct buffer *buffer, int format, const struct result *result)
{
	return format == REPORT_HDR	? report_hdr(buffer, result)
	       : format == REPORT_JUNIT ? report_junit(buffer, result)
					: report_json(buffer, result);
}
