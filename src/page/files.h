/* SPDX-License-Identifier: MIT */
/* The files that the page is made of; src/page/embed makes them part of the program. */
#pragma once

#include "base/slice.h"

/* A template: {{NAME}} stands for a value. */
extern const struct slice page_file_page_html, page_file_chars_html;
extern const struct slice page_file_page_css, page_file_page_js;
