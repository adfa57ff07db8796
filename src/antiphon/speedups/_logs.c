/* Access log lines of requests. */

#include "_speedups.h"
#include <stdint.h>
#include <string.h>

#define LONGEST_METHOD 30
#define LONGEST_PATH 1000
#define LONGEST_ROUTE 500
#define LONGEST_ID 200
#define LONGEST_LINE 4096 /* enough for JSON, which contains method, path and route twice */

#define END_OF_YEAR_9999 253402300800.0
#define MOST_MILLISECONDS 1e9 /* above this, the thousandths may be off */

typedef struct {
    const char *at;
    Py_ssize_t size;
} Text;

typedef struct {
    Text method, path, route, id;
    double created;
    long long status, size;
    int64_t microseconds;
    int is_disconnected;
} Line;

/* The characters that `escaped` leaves unchanged. */
static int
is_plain(byte each)
{
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '&' && each <= ';') ||
           (each && strchr("_~!$=@", each));
}

/* The characters that are printed unchanged, also in JSON. */
static int
is_printed(byte each)
{
    return each >= ' ' && each <= '~' && each != '"' && each != '\\';
}

/* Read text in which every character `is_usual`. Return 0 for any other text. */
static int
read_text(PyObject *text, Py_ssize_t longest, int (*is_usual)(byte), Text *found)
{
    found->at = PyUnicode_CheckExact(text) ? PyUnicode_AsUTF8AndSize(text, &found->size) : NULL;
    if (!found->at || found->size > longest) {
        return 0;
    }
    Py_ssize_t count = 0;
    while (count < found->size && is_usual((byte)found->at[count])) {
        count++;
    }
    return count == found->size;
}

/* Read seconds as microseconds, rounded as decimals are. Return 0 if the last bits decide the result, also when it is
   rounded to tenths of milliseconds. */
static int
read_seconds(PyObject *seconds, int64_t *microseconds)
{
    double milliseconds = PyFloat_CheckExact(seconds) ? PyFloat_AsDouble(seconds) * 1e3 : -1;
    if (!(milliseconds >= 0 && milliseconds < MOST_MILLISECONDS)) {
        return 0;
    }
    double exact = milliseconds * 1e3;
    int64_t whole = (int64_t)exact;
    double rest = exact - (double)whole;
    *microseconds = whole + (rest > 0.5);
    return (rest < 0.499 || rest > 0.501) && *microseconds % 100 != 50;
}

/* Read a line's arguments. Return 0 if one of them is unusual; an error may then be set. */
static int
read_line(PyObject *const *args, Py_ssize_t count, Line *line)
{
    if (count != 9 || !PyFloat_CheckExact(args[0]) || !PyLong_CheckExact(args[4]) || !PyLong_CheckExact(args[5]) ||
        !PyBool_Check(args[8])) {
        return 0;
    }
    line->created = PyFloat_AsDouble(args[0]);
    line->status = PyLong_AsLongLong(args[4]);
    line->size = PyErr_Occurred() ? 0 : PyLong_AsLongLong(args[5]);
    line->is_disconnected = args[8] == Py_True;
    return !PyErr_Occurred() && line->created >= 0 && line->created < END_OF_YEAR_9999 &&
           read_text(args[1], LONGEST_METHOD, is_plain, &line->method) &&
           read_text(args[2], LONGEST_PATH, is_plain, &line->path) &&
           read_text(args[3], LONGEST_ROUTE, is_printed, &line->route) &&
           read_seconds(args[6], &line->microseconds) && read_text(args[7], LONGEST_ID, is_plain, &line->id) &&
           line->id.size > 1; /* "-" means that the request has no id */
}

static char *
put(char *to, const char *text, size_t size)
{
    memcpy(to, text, size);
    return to + size;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *
put_text(char *to, Text text)
{
    return put(to, text.at, (size_t)text.size);
}

/* Write a number with at least this many digits. */
static char *
put_number(char *to, long long number, int digits)
{
    char written[24], *start = written + sizeof(written);
    unsigned long long left = number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
    do {
        *--start = (char)('0' + left % 10);
        left /= 10;
    } while (left || written + sizeof(written) - start < digits);
    if (number < 0) {
        *--start = '-';
    }
    return put(to, start, (size_t)(written + sizeof(written) - start));
}

/* Write a time as UTC. Days are counted from March in eras of 400 years, so leap days come last. */
static char *
put_time(char *to, double created)
{
    int64_t milliseconds = (int64_t)(created * 1e3), seconds = milliseconds / 1000, second = seconds % 86400;
    int64_t days = seconds / 86400 + 719468, era = days / 146097, day = days % 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    int64_t month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5 - 1;
    month += month < 10 ? 3 : -9;
    to = put_number(to, era * 400 + year + (month <= 2), 4);
    to = put_number(PUT(to, "-"), month, 2);
    to = put_number(PUT(to, "-"), day, 2);
    to = put_number(PUT(to, "T"), second / 3600, 2);
    to = put_number(PUT(to, ":"), second / 60 % 60, 2);
    to = put_number(PUT(to, ":"), second % 60, 2);
    to = put_number(PUT(to, "."), milliseconds % 1000, 3);
    return PUT(to, "Z");
}

static char *
put_message(char *to, const Line *line)
{
    int64_t tenths = (line->microseconds + 50) / 100;
    to = PUT(put_text(to, line->method), " ");
    to = PUT(put_text(to, line->path), " ");
    to = PUT(put_number(to, line->status, 1), " ");
    to = PUT(put_number(to, line->size, 1), " bytes ");
    to = PUT(put_number(to, tenths / 10, 1), ".");
    to = PUT(put_number(to, tenths % 10, 1), " ms");
    if (line->route.size) {
        to = put_text(PUT(to, " "), line->route);
    }
    return line->is_disconnected ? PUT(to, " disconnected") : to;
}

PyObject *
request_as_text(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Line line;
    if (!read_line(args, count, &line)) {
        PyErr_Clear();
        return call_twin("request_as_text", args, count);
    }
    char written[LONGEST_LINE], *message = PUT(put_time(written, line.created), " INFO ");
    char *to = put_message(message, &line);
    *to = '\0';
    if (!strstr(message, line.id.at)) {
        to = PUT(put_text(PUT(to, " ["), line.id), "]");
    }
    return PyUnicode_FromStringAndSize(written, to - written);
}

PyObject *
request_as_json(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Line line;
    if (!read_line(args, count, &line)) {
        PyErr_Clear();
        return call_twin("request_as_json", args, count);
    }
    char written[LONGEST_LINE], *to = put_time(PUT(written, "{\"time\":\""), line.created);
    to = PUT(to, "\",\"level\":\"INFO\",\"logger\":\"antiphon.access\",\"message\":\"");
    to = PUT(put_message(to, &line), "\",\"request_id\":\"");
    to = PUT(put_text(to, line.id), "\",\"method\":\"");
    to = PUT(put_text(to, line.method), "\",\"path\":\"");
    to = PUT(put_text(to, line.path), "\",\"route\":\"");
    to = PUT(put_text(to, line.route), "\",\"status\":");
    to = PUT(put_number(to, line.status, 1), ",\"bytes\":");
    to = PUT(put_number(to, line.size, 1), ",\"milliseconds\":");
    to = PUT(put_number(to, line.microseconds / 1000, 1), ".");
    to = put_number(to, line.microseconds % 1000, 3);
    while (to[-1] == '0' && to[-2] != '.') {
        to--;
    }
    to = PUT(to, ",\"disconnected\":");
    to = line.is_disconnected ? PUT(to, "true}") : PUT(to, "false}");
    return PyUnicode_FromStringAndSize(written, to - written);
}
