// SPDX-License-Identifier: MIT
/*
 * Requests are read where they lie: lines and words are cut by zeroes, escapes are taken out in place.
 */
#include "http.h"

#include "lib/fmt.h"
#include "lib/string.h"

#define INDEX "index.html" /* the file that stands for its folder */

/* ---- Answers ---- */

unsigned http_head(char *to, size_t size, const char *status, const char *type, uint64_t len,
	bool keeps_alive)
{
	return (unsigned)snformat(to, size,
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n%s%s\r\n", status,
		type, (unsigned long long)len,
		str_has_prefix(status, "405") ? "Allow: GET, HEAD\r\n" : "",
		keeps_alive ? "" : "Connection: close\r\n");
}

const char *http_type_of(const char *path)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {{".html", "text/html"}, {".txt", "text/plain"}, {".css", "text/css"},
		{".js", "text/javascript"}, {".json", "application/json"},
		{".png", "image/png"}, {".svg", "image/svg+xml"}};
	const char *dot = strrchr(path, '.');

	for (unsigned i = 0; dot && i < ARRAY_LEN(types); i++)
		if (str_equal(dot, types[i].suffix))
			return types[i].type;
	return "application/octet-stream";
}

const char *http_status_of(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
	case -ENAMETOOLONG:
		return "404 Not Found";
	case -EACCES:
	case -EPERM:
	case -ELOOP:
	case -EXDEV: /* the path leaves the folder */
	case -ENXIO: /* a FIFO, a socket */
		return "403 Forbidden";
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		return "503 Service Unavailable";
	default:
		return "500 Internal Server Error";
	}
}

/* ---- Requests ---- */

/* Takes the escapes of a path out of it, in place. False: it is malformed, or would end early. */
static bool decode(char *path)
{
	char *to = path;

	for (const char *from = path; *from; from++) {
		char c = *from;

		if (c == '?' || c == '#')
			break;
		if (c == '%') {
			int high = char_digit_value(from[1]);
			int low = high < 0 ? -1 : char_digit_value(from[2]);

			if (low < 0 || !(high | low))
				return false;
			c = (char)(high << 4 | low);
			from += 2;
		}
		*to++ = c;
	}
	*to = 0;
	return true;
}

/* Ends the line that begins at `at`; where the next one begins. */
static char *cut_line(char *at)
{
	char *end = strstr(at, "\r\n");

	*end = 0;
	return end + 2;
}

static char *cut_word(char *at)
{
	char *space = strchr(at, ' ');

	if (!space)
		return NULL;
	*space = 0;
	return space + 1;
}

/* If the line is the field of this name (in small letters): its value. */
static const char *value_of(const char *line, const char *name)
{
	while (*name && char_to_lower(*line) == *name)
		line++, name++;
	if (*name || *line != ':')
		return NULL;
	for (line++; *line == ' ' || *line == '\t'; line++)
		;
	return line;
}

static bool says(const char *value, const char *word)
{
	for (; *value && *word && char_to_lower(*value) == *word; value++, word++)
		;
	return !*word && (!*value || *value == ' ' || *value == ',');
}

/* The fields that matter here. False: the request must be refused. */
static bool read_fields(struct http_request *r, char *at, bool needs_host)
{
	unsigned nr_hosts = 0;

	while (*at != '\r') {
		char *line = at;
		const char *value;

		at = cut_line(at);
		if (*line == ' ' || *line == '\t' || !strchr(line, ':'))
			return false;
		nr_hosts += value_of(line, "host") != NULL;
		value = value_of(line, "connection");
		if (value && says(value, "close"))
			r->keeps_alive = false;
		value = value_of(line, "content-length");
		if (value_of(line, "transfer-encoding") || (value && !says(value, "0")))
			r->keeps_alive = false; /* what follows is a body, which nobody reads */
	}
	return nr_hosts == 1 || (!needs_host && nr_hosts == 0);
}

unsigned http_request_len(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");

	return end ? (unsigned)(end + 4 - text) : 0;
}

/* METHOD PATH HTTP/1.x, fields, an empty line. */
const char *http_request_read(char *text, struct http_request *r)
{
	char *method = text, *fields = cut_line(method);
	char *path = cut_word(method), *version = path ? cut_word(path) : NULL, *end;
	bool is_old = version && str_equal(version, "HTTP/1.0");

	r->is_head = str_equal(method, "HEAD");
	r->keeps_alive = !is_old;
	if (!version || !(is_old || str_equal(version, "HTTP/1.1")) || path[0] != '/' ||
		!read_fields(r, fields, !is_old) || !decode(path)) {
		r->keeps_alive = false;
		return "400 Bad Request";
	}
	if (!r->is_head && !str_equal(method, "GET"))
		return "405 Method Not Allowed";
	end = path + strlen(path);
	if (end[-1] == '/') /* there is room: the version and two ends of lines stood there */
		memcpy(end, INDEX, sizeof(INDEX));
	while (*path == '/')
		path++;
	r->path = path;
	return NULL;
}
