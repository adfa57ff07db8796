/* Pure functions of antiphon in C, and classes. Each has a twin in Python, marked @accelerated, which
   documents it: read that first. A function here handles only the usual arguments. For all others, it calls its twin,
   so unusual cases, including errors, are implemented only once.

   This uses Python's limited C API as of 3.11, so one binary works with that version and all later ones. */

#include "_speedups.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

PyObject *
twin_of(const char *name)
{
    PyObject *package = PyImport_ImportModule("antiphon.speedups");
    PyObject *twins = package ? PyObject_GetAttrString(package, "PURE") : NULL;
    PyObject *twin = twins ? PyMapping_GetItemString(twins, name) : NULL;
    Py_XDECREF(twins);
    Py_XDECREF(package);
    return twin;
}

PyObject *
call_with(PyObject *function, PyObject *const *args, Py_ssize_t count)
{
    PyObject *all = PyTuple_New(count);
    Py_ssize_t at = 0;
    while (all && at < count && PyTuple_SetItem(all, at, Py_NewRef(args[at])) == 0) {
        at++;
    }
    PyObject *result = all && at == count ? PyObject_CallObject(function, all) : NULL;
    Py_XDECREF(all);
    return result;
}

PyObject *
call_twin(const char *name, PyObject *const *args, Py_ssize_t count)
{
    PyObject *twin = twin_of(name), *result = twin ? call_with(twin, args, count) : NULL;
    Py_XDECREF(twin);
    return result;
}

/* Return the value of a hexadecimal digit, or 16 for any other character. */
static unsigned
hex_value(byte digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - (unsigned)'0';
    }
    unsigned letter = (digit | 0x20U) - (unsigned)'a';
    return letter < 6 ? letter + 10 : 16;
}

/* Write the text from `start` to `end` with its escapes decoded, and a space for each plus sign. `to` must have room for
   all of it. Return the end of the written text. */
static byte *
undo_escapes(const byte *start, const byte *end, byte *to)
{
    while (start < end) {
        byte read = *start++;
        if (read == '+') {
            read = ' ';
        }
        else if (read == '%' && end - start >= 2) {
            unsigned high = hex_value(start[0]), low = hex_value(start[1]);
            if (high < 16 && low < 16) {
                read = (byte)(high << 4 | low);
                start += 2;
            }
        }
        *to++ = read;
    }
    return to;
}

static PyObject *
decode_field(const byte *start, const byte *end, byte *room)
{
    size_t size = (size_t)(end - start);
    if (!memchr(start, '%', size) && !memchr(start, '+', size)) {
        return PyUnicode_DecodeUTF8((const char *)start, end - start, "replace");
    }
    const byte *stop = undo_escapes(start, end, room);
    return PyUnicode_DecodeUTF8((const char *)room, stop - room, "replace");
}

#define LONGEST_KEPT 32
#define LONGEST_VALUE 256

/* Return the place of a name; NULL for one that is not short and of ASCII characters without escapes. */
static PyObject **
place_of(PyObject *module, const byte *start, const byte *end)
{
#ifndef Py_GIL_DISABLED /* otherwise, other threads might release a name before it is used */
    unsigned place = 0;
    const byte *at = start;
    while (at < end && *at < 0x80 && *at != '%' && *at != '+') {
        place = place * 31 + *at++;
    }
    if (at == end && start < end && end - start <= LONGEST_KEPT) {
        return kept_in(module) + (place ^ place >> 8) % NAMES;
    }
#endif
    return NULL;
}

static PyObject *
decode_name(PyObject *module, const byte *start, const byte *end, byte *room)
{
    PyObject **place = place_of(module, start, end);
    Py_ssize_t size = 0;
    const char *kept = place && *place ? PyUnicode_AsUTF8AndSize(*place, &size) : NULL;
    if (kept && size == end - start && memcmp(kept, start, (size_t)size) == 0) {
        return Py_NewRef(*place);
    }
    PyObject *name = decode_field(start, end, room);
    if (place && name) {
        PyObject *replaced = *place;
        *place = Py_NewRef(name);
        Py_XDECREF(replaced);
    }
    return name;
}

/* Add a field to a dictionary. As soon as a name is repeated, a list of pairs replaces the dictionary. */
static int
add_field(PyObject **fields, PyObject *name, PyObject *value)
{
    if (PyDict_CheckExact(*fields)) {
        int comes_again = PyDict_Contains(*fields, name);
        if (comes_again <= 0) {
            return comes_again < 0 ? -1 : PyDict_SetItem(*fields, name, value);
        }
        PyObject *pairs = PyDict_Items(*fields);
        Py_DECREF(*fields);
        *fields = pairs;
    }
    PyObject *pair = *fields ? PyTuple_Pack(2, name, value) : NULL;
    int failed = pair ? PyList_Append(*fields, pair) : -1;
    Py_XDECREF(pair);
    return failed;
}

static PyObject *
read_fields(PyObject *module, const byte *start, const byte *end, byte *room)
{
    PyObject *fields = PyDict_New();
    while (fields && start < end) {
        const byte *found = memchr(start, '&', (size_t)(end - start));
        const byte *field_end = found ? found : end;
        if (field_end > start) {
            const byte *equals = memchr(start, '=', (size_t)(field_end - start));
            PyObject *name = decode_name(module, start, equals ? equals : field_end, room);
            PyObject *value = name ? decode_field(equals ? equals + 1 : field_end, field_end, room) : NULL;
            if (!value || add_field(&fields, name, value) < 0) {
                Py_CLEAR(fields);
            }
            Py_XDECREF(value);
            Py_XDECREF(name);
        }
        start = field_end + 1;
    }
    return fields;
}

#define ON_STACK 512

static PyObject *
parse_fields(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 1 || !PyBytes_CheckExact(args[0])) {
        return call_twin("parse_fields", args, count);
    }
    char *data;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(args[0], &data, &size) < 0) {
        return NULL;
    }
    byte room[ON_STACK], *large = NULL;
    if (size > ON_STACK && !(large = PyMem_Malloc((size_t)size))) {
        return PyErr_NoMemory();
    }
    const byte *start = (const byte *)data;
    PyObject *fields = read_fields(module, start, start + size, large ? large : room);
    PyMem_Free(large);
    return fields;
}

/* Cookies */

/* Return a text without the spaces around it; `module` is NULL if it is no name. */
static PyObject *
stripped(PyObject *module, const byte *start, const byte *end)
{
    while (start < end && (*start == ' ' || *start == '\t')) {
        start++;
    }
    while (start < end && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    if (module && place_of(module, start, end)) {
        return decode_name(module, start, end, NULL);
    }
    return PyUnicode_FromStringAndSize((const char *)start, end - start);
}

/* Add the cookie from `start` to `end`, unless it is empty. */
static int
add_cookie(PyObject *module, PyObject **cookies, const byte *start, const byte *end)
{
    const byte *equals = memchr(start, '=', (size_t)(end - start));
    PyObject *name = equals ? stripped(module, start, equals) : PyUnicode_FromStringAndSize("", 0);
    PyObject *value = name ? stripped(NULL, equals ? equals + 1 : start, end) : NULL;
    int is_nothing = value && !equals && PyUnicode_GetLength(value) == 0;
    int failed = value ? 0 : -1;
    if (value && !is_nothing) {
        failed = add_field(cookies, name, value);
    }
    Py_XDECREF(value);
    Py_XDECREF(name);
    return failed;
}

static PyObject *
split_cookies(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t size;
    const char *text = count == 1 && PyUnicode_CheckExact(args[0]) ? PyUnicode_AsUTF8AndSize(args[0], &size) : NULL;
    if (!text || size != PyUnicode_GetLength(args[0])) { /* not ASCII, or a surrogate, which UTF-8 can't encode */
        PyErr_Clear();
        return call_twin("split_cookies", args, count);
    }
    const byte *start = (const byte *)text, *end = start + size;
    PyObject *cookies = PyDict_New();
    while (cookies && start < end) {
        const byte *found = memchr(start, ';', (size_t)(end - start));
        const byte *cookie_end = found ? found : end;
        if (add_cookie(module, &cookies, start, cookie_end) < 0) {
            Py_CLEAR(cookies);
        }
        start = cookie_end + 1;
    }
    return cookies;
}

/* Multipart forms */

/* Skip this text at `*at`. Return 0 if the text differs. */
static int
pass(const char **at, const char *end, const char *text, size_t length)
{
    if ((size_t)(end - *at) < length || memcmp(*at, text, length) != 0) {
        return 0;
    }
    *at += length;
    return 1;
}

#define PASS(at, end, text) pass(at, end, text, sizeof(text) - 1)

/* Skip a value and its closing quote. Return where the value ends; NULL if it may contain escapes. */
static const char *
pass_quoted(const char **at, const char *end)
{
    for (const char *stop = *at; stop < end; stop++) {
        switch (*stop) {
        case '"':
            *at = stop + 1;
            return stop;
        case '%':
        case '\\':
        case '\r':
        case '\n':
        case '\0':
            return NULL;
        default:
            break;
        }
    }
    return NULL;
}

/* Skip visible ASCII characters with single spaces between them. Return 0 if there are none. */
static int
pass_words(const char **at, const char *end)
{
    const char *stop = *at, *start = stop;
    while (stop < end && ((*stop > ' ' && *stop <= '~') || (*stop == ' ' && stop > start && stop[-1] != ' '))) {
        stop++;
    }
    stop -= stop > start && stop[-1] == ' ';
    *at = stop;
    return stop > start;
}

static PyObject *
bytes_or_none(const char *start, const char *end)
{
    return end ? PyBytes_FromStringAndSize(start, end - start) : Py_NewRef(Py_None);
}

/* The head of a part in the usual form: the positions of its values. A missing value ends at NULL. */
struct head {
    const char *name, *name_end, *file, *file_end, *type, *type_end, *end;
};

/* Read a head from `at`. Return 0 if it is in any other form. */
static int
read_usual_head(const char *at, const char *end, struct head *head)
{
    memset(head, 0, sizeof(*head));
    if (!PASS(&at, end, "\r\nContent-Disposition: form-data; name=\"")) {
        return 0;
    }
    head->name = at;
    head->name_end = pass_quoted(&at, end);
    if (head->name_end && PASS(&at, end, "; filename=\"")) {
        head->file = at;
        head->file_end = pass_quoted(&at, end);
    }
    int is_usual = head->name_end && (!head->file || head->file_end);
    if (is_usual && PASS(&at, end, "\r\nContent-Type: ")) {
        head->type = at;
        is_usual = pass_words(&at, end);
        head->type_end = at;
    }
    is_usual = is_usual && PASS(&at, end, "\r\n\r\n");
    head->end = at;
    return is_usual;
}

/* Return a tuple of objects, and release them. NULL means that an error is set. */
static PyObject *
packed(PyObject **objects, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t at = 0; at < count; at++) {
        if (!tuple || !objects[at]) {
            Py_XDECREF(objects[at]);
            Py_CLEAR(tuple);
        }
        else if (PyTuple_SetItem(tuple, at, objects[at]) < 0) {
            Py_CLEAR(tuple);
        }
    }
    return tuple;
}

/* Find a text whose first byte occurs in it only once. Return its start, or NULL if it is missing. */
static const char *
find_text(const char *at, const char *end, const char *text, size_t length)
{
    while ((size_t)(end - at) >= length && (at = memchr(at, *text, (size_t)(end - at) - length + 1))) {
        if (memcmp(at, text, length) == 0) {
            return at;
        }
        at++;
    }
    return NULL;
}

/* A part whose content ends at `end`, in a body that begins at `data`; its head begins at `start`. */
static PyObject *
part_of(const char *data, const char *start, const struct head *head, const char *end)
{
    PyObject *values[] = {
        bytes_or_none(head->name, head->name_end),
        bytes_or_none(head->file, head->file_end),
        head->type_end ? PyUnicode_FromStringAndSize(head->type, head->type_end - head->type) : Py_NewRef(Py_None),
        PyLong_FromSsize_t(head->end - data),
        PyBytes_FromStringAndSize(start + 2, head->end - start - 6),
        PyLong_FromSsize_t(end - data),
    };
    return packed(values, 6);
}

static int
is_last(const char *at, const char *end)
{
    return PASS(&at, end, "--") && (at == end || (end - at == 2 && memcmp(at, "\r\n", 2) == 0));
}

/* Append each part of a form. Return 1 if that was all of it, 0 if it isn't in the usual form, -1 for an error. */
static int
append_parts(PyObject *parts, const char *data, const char *end, const char *delimiter, size_t length, Py_ssize_t most,
             Py_ssize_t longest)
{
    const char *at = data;
    if (!pass(&at, end, delimiter + 2, length - 2)) {
        return 0;
    }
    for (Py_ssize_t count = 0; !is_last(at, end); count++) {
        struct head head;
        if (count >= most || !read_usual_head(at, end, &head) || head.end - at > longest) {
            return 0;
        }
        const char *stop = find_text(head.end, end, delimiter, length);
        PyObject *part = stop ? part_of(data, at, &head, stop) : NULL;
        int failed = part ? PyList_Append(parts, part) : -1;
        Py_XDECREF(part);
        if (failed) {
            return stop ? -1 : 0;
        }
        at = stop + length;
    }
    return 1;
}

static PyObject *
split_usual_form(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    char *data = NULL, *delimiter = NULL;
    Py_ssize_t size = 0, length = 0, most = -1, longest = -1;
    if (count == 4 && PyBytes_CheckExact(args[0]) && PyBytes_CheckExact(args[1]) && PyLong_CheckExact(args[2])
        && PyLong_CheckExact(args[3])) {
        most = PyLong_AsSsize_t(args[2]);
        longest = PyLong_AsSsize_t(args[3]);
        (void)PyBytes_AsStringAndSize(args[0], &data, &size);
        (void)PyBytes_AsStringAndSize(args[1], &delimiter, &length);
        PyErr_Clear(); /* the number is too large, and is read as -1 */
    }
    if (most < 0 || longest < 0 || length < 3) {
        return call_twin("split_usual_form", args, count);
    }
    PyObject *parts = PyList_New(0);
    int done = parts ? append_parts(parts, data, data + size, delimiter, (size_t)length, most, longest) : -1;
    if (done <= 0) {
        Py_CLEAR(parts);
    }
    return done ? parts : Py_NewRef(Py_None);
}

/* Header lines: (name, value) pairs of bytes, few enough to search all of them quickly. */

#define MOST_SEARCHED 256

/* Return a line of a tuple and set its name: to NULL, without an error, for anything but a pair with a bytes name. */
static inline PyObject *
line_at(PyObject *lines, Py_ssize_t at, PyObject **name)
{
    PyObject *line = PyTuple_GetItem(lines, at);
    *name = PyTuple_CheckExact(line) && Py_SIZE(line) == 2 ? PyTuple_GetItem(line, 0) : NULL;
    if (*name && !PyBytes_CheckExact(*name)) {
        *name = NULL;
    }
    return line;
}

/* Return 1 if bytes have this content. The length is compared first, because most names differ in it. */
static inline int
is_named(PyObject *name, const char *wanted, Py_ssize_t size)
{
    return Py_SIZE(name) == size && memcmp(PyBytes_AsString(name), wanted, (size_t)size) == 0;
}

/* The lines of a header section that every request needs. */
struct section {
    PyObject *host, *length;
    int is_framed, is_coded;
};

/* Note a line. Return 0 for a line that the twin has to combine with another, or whose value isn't bytes. */
static int
note_line(struct section *section, PyObject *line, PyObject *name)
{
    PyObject **found = NULL;
    if (is_named(name, "host", 4)) {
        found = &section->host;
    }
    else if (is_named(name, "content-length", 14)) {
        found = &section->length;
        section->is_framed = 1;
    }
    else if (is_named(name, "content-encoding", 16)) {
        section->is_coded = 1;
    }
    else if (is_named(name, "transfer-encoding", 17)) {
        section->is_framed = section->is_coded = 1;
    }
    if (!found) {
        return 1;
    }
    int is_first = !*found;
    *found = PyTuple_GetItem(line, 1);
    return is_first && PyBytes_CheckExact(*found);
}

/* Check each line of a tuple. Return 0 for lines that the twin has to index. */
static int
look_at_lines(PyObject *lines, struct section *section)
{
    Py_ssize_t count = Py_SIZE(lines);
    if (count == 0 || count > MOST_SEARCHED) {
        return 0;
    }
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *name, *line = line_at(lines, at, &name);
        if (!name || !note_line(section, line, name)) {
            return 0;
        }
    }
    return 1;
}

/* The length of a body without codings; None if it is unknown. */
static PyObject *
uncoded_length(const struct section *section)
{
    const char *digit = section->length && !section->is_coded ? PyBytes_AsString(section->length) : NULL;
    Py_ssize_t size = digit ? PyBytes_Size(section->length) : 0;
    unsigned long long length = 0;
    Py_ssize_t at = 0;
    for (; at < size && digit[at] >= '0' && digit[at] <= '9'; at++) {
        length = 10 * length + (unsigned long long)(digit[at] - '0');
    }
    return at > 0 && at == size && size < 20 ? PyLong_FromUnsignedLongLong(length) : Py_NewRef(Py_None);
}

/* Set what the twin of ``index_lines`` returns, new references to an index, which is a tuple of the lines, and a length,
   and borrowed ones. Return 0, perhaps with an error, for lines that the twin has to index. */
int
read_section(PyObject *lines, PyObject **index, PyObject **host, PyObject **is_framed, PyObject **length)
{
    struct section section = {NULL, NULL, 0, 0};
    *index = PyList_CheckExact(lines) || PyTuple_CheckExact(lines) ? PySequence_Tuple(lines) : NULL;
    if (!*index || !look_at_lines(*index, &section) || !(*length = uncoded_length(&section))) {
        Py_CLEAR(*index);
        return 0;
    }
    *host = section.host ? section.host : Py_None;
    *is_framed = section.is_framed ? Py_True : Py_False;
    return 1;
}

static PyObject *
index_lines(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    PyObject *found[4];
    if (count != 1 || !read_section(args[0], &found[0], &found[1], &found[2], &found[3])) {
        return PyErr_Occurred() ? NULL : call_twin("index_lines", args, count);
    }
    Py_INCREF(found[1]);
    Py_INCREF(found[2]);
    return packed(found, 4);
}

/* Combine the lines of a field as the twin of ``index_lines`` does. */
static PyObject *
combine_lines(PyObject *lines, const char *wanted, Py_ssize_t size)
{
    PyObject *values = PyList_New(0), *result = NULL;
    for (Py_ssize_t at = 0; values && at < Py_SIZE(lines); at++) {
        PyObject *name, *line = line_at(lines, at, &name);
        if (name && is_named(name, wanted, size) && PyList_Append(values, PyTuple_GetItem(line, 1)) < 0) {
            Py_CLEAR(values);
        }
    }
    if (values) {
        int is_cookie = size == 6 && memcmp(wanted, "cookie", 6) == 0;
        PyObject *separator = PyBytes_FromString(is_cookie ? "; " : ", ");
        result = separator ? PyObject_CallMethod(separator, "join", "O", values) : NULL;
        Py_XDECREF(separator);
        Py_DECREF(values);
    }
    return result;
}

/* Find a field's value in a tuple of lines: None if missing; NULL, without an error, if a line isn't a pair. */
static PyObject *
search_lines(PyObject *lines, const char *wanted, Py_ssize_t size)
{
    PyObject *found = Py_None;
    int takes_first = size == 10 && memcmp(wanted, "set-cookie", 10) == 0;
    for (Py_ssize_t at = 0, all = Py_SIZE(lines); at < all && (found == Py_None || !takes_first); at++) {
        PyObject *name, *line = line_at(lines, at, &name);
        if (!name) {
            return NULL;
        }
        if (is_named(name, wanted, size)) {
            if (found != Py_None) {
                return combine_lines(lines, wanted, size);
            }
            found = PyTuple_GetItem(line, 1);
        }
    }
    return Py_NewRef(found);
}

/* Find a field's value, as bytes, in a tuple of lines. */
static PyObject *
find_value(PyObject *index, PyObject *name)
{
    Py_ssize_t size;
    PyObject *encoded = NULL;
    const char *wanted = PyUnicode_AsUTF8AndSize(name, &size);
    if (!wanted || size != PyUnicode_GetLength(name)) {
        PyErr_Clear(); /* raised by half of a surrogate pair */
        encoded = PyUnicode_AsEncodedString(name, "latin-1", "replace");
        if (!encoded) {
            return NULL;
        }
        wanted = PyBytes_AsString(encoded);
        size = PyBytes_Size(encoded);
    }
    PyObject *found = search_lines(index, wanted, size);
    Py_XDECREF(encoded);
    return found;
}

static PyObject *
find_line(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    PyObject *found = NULL;
    if (count == 2 && PyTuple_CheckExact(args[0]) && PyUnicode_CheckExact(args[1])) {
        found = find_value(args[0], args[1]);
    }
    if (!found) {
        return PyErr_Occurred() ? NULL : call_twin("find_line", args, count);
    }
    PyObject *text = found;
    if (PyBytes_CheckExact(found)) {
        text = PyUnicode_DecodeLatin1(PyBytes_AsString(found), PyBytes_Size(found), NULL);
        Py_DECREF(found);
    }
    else if (found != Py_None) {
        text = PyObject_CallMethod(found, "decode", "s", "latin-1");
        Py_DECREF(found);
    }
    return text;
}

/* Return the size of a header section whose lines are pairs of bytes. */
static PyObject *
section_size(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    PyObject *lines = count == 1 && PyList_CheckExact(args[0]) ? PySequence_Tuple(args[0]) : NULL;
    Py_ssize_t size = 0, at = 0, all = lines ? PyTuple_Size(lines) : 0;
    for (; at < all; at++) {
        PyObject *line = PyTuple_GetItem(lines, at);
        if (!PyTuple_CheckExact(line) || PyTuple_Size(line) != 2) {
            break;
        }
        PyObject *name = PyTuple_GetItem(line, 0), *value = PyTuple_GetItem(line, 1);
        if (!PyBytes_CheckExact(name) || !PyBytes_CheckExact(value)) {
            break;
        }
        size += PyBytes_Size(name) + PyBytes_Size(value) + 32;
    }
    int is_counted = lines && at == all;
    Py_XDECREF(lines);
    if (is_counted) {
        return PyLong_FromSsize_t(size);
    }
    return PyErr_Occurred() ? NULL : call_twin("section_size", args, count);
}

/* Return a line of text as bytes; NULL, perhaps with an error, for anything else. Lines of the same two objects, as
   those of constants, are kept in one of two places, but no cookies. */
static PyObject *
encoded_line(PyObject **kept, PyObject *line)
{
    PyObject *name = PyTuple_CheckExact(line) && Py_SIZE(line) == 2 ? PyTuple_GetItem(line, 0) : NULL;
    PyObject *value = name ? PyTuple_GetItem(line, 1) : NULL;
    if (!value || !PyUnicode_CheckExact(name) || !PyUnicode_CheckExact(value)) {
        return NULL;
    }
    uintptr_t place = ((uintptr_t)name >> 4 ^ (uintptr_t)value >> 5) % NAMES;
    for (int other = 0; other < 2; other++, place ^= 1) {
        PyObject *found = kept[place];
        if (found && PyTuple_GetItem(found, 0) == name && PyTuple_GetItem(found, 1) == value) {
            return Py_NewRef(PyTuple_GetItem(found, 2));
        }
    }
    PyObject *parts[] = {PyUnicode_AsUTF8String(name), NULL};
    parts[1] = parts[0] ? PyUnicode_AsLatin1String(value) : NULL;
    PyObject *encoded = packed(parts, 2);
#ifndef Py_GIL_DISABLED /* as in `place_of` */
    if (encoded && PyUnicode_GetLength(value) <= LONGEST_VALUE && !is_named(parts[0], "set-cookie", 10)) {
        PyObject *replaced = kept[place ^ 1];
        kept[place ^ 1] = kept[place];
        kept[place] = PyTuple_Pack(3, name, value, encoded);
        Py_XDECREF(replaced);
        PyErr_Clear();
    }
#endif
    return encoded;
}

static PyObject *
encode_fields(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    int is_usual = count == 1 && (PyList_CheckExact(args[0]) || PyTuple_CheckExact(args[0]));
    Py_ssize_t size = is_usual ? PySequence_Size(args[0]) : 0;
    PyObject *lines = is_usual ? PyList_New(size) : NULL, **kept = kept_in(module) + KEPT_LINES;
    for (Py_ssize_t at = 0; lines && at < size; at++) {
        PyObject *given = PySequence_GetItem(args[0], at), *line = given ? encoded_line(kept, given) : NULL;
        Py_XDECREF(given);
        if (!line || PyList_SetItem(lines, at, line) < 0) {
            Py_CLEAR(lines);
        }
    }
    if (!lines) {
        PyErr_Clear();
        return call_twin("encode_fields", args, count);
    }
    return lines;
}

/* Send a value to steps as the twin of ``resume`` does. */
static PyObject *
resumed(PyObject *steps, PyObject *value)
{
    PyObject *given = NULL;
    PySendResult how = PyIter_Send(steps, value, &given);
    if (how == PYGEN_ERROR || (how == PYGEN_RETURN && given == Py_None)) {
        return given;
    }
    PyObject *result = PyTuple_Pack(2, how == PYGEN_RETURN ? Py_True : Py_False, given);
    Py_DECREF(given);
    return result;
}

static PyObject *
resume(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    return count == 2 ? resumed(args[0], args[1]) : call_twin("resume", args, count);
}

static PyObject *
begin_steps(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    PyObject *given = NULL;
    if (count != 2) {
        return call_twin("begin_steps", args, count);
    }
    if (PyIter_Send(args[0], Py_None, &given) != PYGEN_NEXT) {
        return given;
    }
    PyObject *suspended = PyObject_CallFunctionObjArgs(args[1], given, NULL);
    Py_DECREF(given);
    return suspended;
}

static PyObject *
send_in_place(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    unaryfunc next = NULL;
    if (count == 2 && args[1] != Py_None) {
        next = (unaryfunc)PyType_GetSlot(Py_TYPE(args[0]), Py_am_anext);
    }
    if (!next) {
        return call_twin("send_in_place", args, count);
    }
    /* The value that is sent to a step that has not begun replaces its own, which is None here. */
    PyObject *given = NULL, *result = NULL, *steps = next(args[0]);
    PySendResult how = steps ? PyIter_Send(steps, args[1], &given) : PYGEN_ERROR;
    if (how != PYGEN_ERROR) {
        result = how == PYGEN_RETURN ? PyTuple_Pack(1, given) : PyTuple_Pack(2, steps, given);
        Py_DECREF(given);
    } else if (steps && PyErr_ExceptionMatches(PyExc_StopAsyncIteration)) {
        PyErr_Clear();
        result = Py_NewRef(Py_None);
    }
    Py_XDECREF(steps);
    return result;
}

/* Most classes in Python inherit the constructor of ``object``. */
static PyObject *
like(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    PyObject *template = count == 1 || count == 2 ? args[count - 1] : (PyObject *)&PyType_Type;
    PyTypeObject *type = Py_TYPE(template);
    if (PyType_GetSlot(type, Py_tp_new) != PyType_GetSlot(&PyBaseObject_Type, Py_tp_new)) {
        return call_twin("like", args, count);
    }
    PyObject *made = ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
    for (PyMemberDef *slot = PyType_GetSlot(type, Py_tp_members); made && slot && slot->name; slot++) {
        PyObject *value = *(PyObject **)((char *)template + slot->offset);
        *(PyObject **)((char *)made + slot->offset) = Py_XNewRef(value == (PyObject *)type ? args[0] : value);
    }
    return made;
}

/* Return a new reference to a list item; NULL with an error if there is none. */
static PyObject *
item_of(PyObject *list, Py_ssize_t at)
{
#ifdef Py_GIL_DISABLED
    return PyList_GetItemRef(list, at);
#else
    return Py_XNewRef(PyList_GetItem(list, at));
#endif
}

/* Middleware in runs: a closer, and a list of the generators that are open, outermost first. */

static PyObject *
open_in_turn(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 4 || !PyTuple_CheckExact(args[0]) || !PyList_Check(args[3])) {
        return call_twin("open_in_turn", args, count);
    }
    PyObject *generators = PyList_New(0), *early = NULL;
    PyObject *run = generators ? PyTuple_Pack(2, args[1], generators) : NULL;
    int failed = run ? 0 : -1;
    for (Py_ssize_t at = 0; !failed && !early && at < PyTuple_Size(args[0]); at++) {
        PyObject *function = PyTuple_GetItem(args[0], at), *value = NULL;
        PyObject *generator = PyObject_CallFunctionObjArgs(function, args[2], NULL);
        PySendResult how = generator ? PyIter_Send(generator, Py_None, &value) : PYGEN_ERROR;
        failed = how == PYGEN_ERROR ? -1 : how == PYGEN_NEXT ? PyList_Append(generators, generator) : 0;
        if (!failed && how == PYGEN_NEXT && at == 0) {
            failed = PyList_Append(args[3], run);
        }
        if (!failed && (how == PYGEN_RETURN || value != Py_None)) {
            early = PyTuple_Pack(2, function, value);
            failed = early ? 0 : -1;
        }
        Py_XDECREF(value);
        Py_XDECREF(generator);
    }
    Py_XDECREF(run);
    Py_XDECREF(generators);
    return failed ? NULL : early ? early : Py_NewRef(Py_None);
}

static PyObject *
close_run(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t last = count == 3 && PyList_Check(args[0]) ? PyList_Size(args[0]) - 1 : -1;
    PyObject *run = last < 0 ? NULL : item_of(args[0], last), *closer = NULL, *subjects = NULL;
    if (!run || !PyArg_ParseTuple(run, "O!O!", &PyTuple_Type, &closer, &PyList_Type, &subjects)
        || PyTuple_Size(closer) != 2 || PySequence_DelItem(args[0], last) < 0) {
        Py_XDECREF(run);
        PyErr_Clear();
        return call_twin("close_run", args, count);
    }
    PyObject *subject = NULL, *outcome = NULL, *result = NULL, *close = PyTuple_GetItem(closer, 0);
    Py_ssize_t left = PyList_Size(subjects);
    int goes_on = left > 0;
    int resumes = PyCFunction_Check(close) && (void (*)(void))PyCFunction_GetFunction(close) == (void (*)(void))resume;
    while (goes_on > 0) {
        Py_XDECREF(outcome);
        subject = PyList_GetItem(subjects, --left);
        outcome = resumes ? resumed(subject, args[2]) : PyObject_CallFunctionObjArgs(close, subject, args[2], NULL);
        goes_on = 0;
        if (outcome == Py_None && left) { /* goes on if the request has no hooks of its own */
            PyObject *hooks = PyObject_GetAttr(args[1], kept_in(module)[AFTER_HOOKS]);
            goes_on = hooks ? PyObject_Not(hooks) : -1;
            Py_XDECREF(hooks);
        }
    }
    if (outcome && goes_on == 0) {
        PyObject *part = outcome == Py_None ? NULL : PyTuple_GetItem(PyTuple_GetItem(closer, 1), left);
        result = outcome == Py_None ? Py_NewRef(Py_None) : part ? PyTuple_Pack(3, part, subject, outcome) : NULL;
    }
    if (left && (PyList_SetSlice(subjects, left, PyList_Size(subjects), NULL) < 0 || PyList_Append(args[0], run) < 0)) {
        Py_CLEAR(result);
    }
    Py_XDECREF(outcome);
    Py_DECREF(run);
    return result;
}

/* The header fields of a response: a list of (name, value) pairs of text, names in lower case. */

#define LONGEST_NAME 64

/* Write a token of ASCII letters, digits and `-` in lower case. Return 0 for other names, mostly not tokens. */
static int
lower_name(const char *name, Py_ssize_t size, char *to)
{
    for (Py_ssize_t at = 0; at < size; at++) {
        char each = name[at];
        if (each >= 'A' && each <= 'Z') {
            each = (char)(each | 0x20);
        }
        else if (!((each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '-')) {
            return 0;
        }
        to[at] = each;
    }
    return 1;
}

/* True for visible ASCII characters, and spaces between them. */
static int
is_usual_value(const char *value, Py_ssize_t size)
{
    for (Py_ssize_t at = 0; at < size; at++) {
        if (value[at] < ' ' || value[at] > '~') {
            return 0;
        }
    }
    return size == 0 || (value[0] != ' ' && value[size - 1] != ' ');
}

/* Return a new reference to the line of a name and a value: to `pair` itself if it already is this line and not NULL.
   Return NULL, usually without an error, for anything that the twin has to check. */
static PyObject *
usual_line(PyObject *name, PyObject *value, PyObject *pair)
{
    const char *given = NULL, *text = NULL;
    char lower[LONGEST_NAME];
    Py_ssize_t size = 0, text_size = 0;
    if (PyUnicode_CheckExact(name) && PyUnicode_CheckExact(value)) {
        given = PyUnicode_AsUTF8AndSize(name, &size);
        text = given ? PyUnicode_AsUTF8AndSize(value, &text_size) : NULL;
        PyErr_Clear(); /* raised by a surrogate, which UTF-8 can't encode */
    }
    if (!text || size == 0 || size > LONGEST_NAME || !lower_name(given, size, lower)
        || !is_usual_value(text, text_size)) {
        return NULL;
    }
    if (memcmp(given, lower, (size_t)size) == 0) {
        return pair ? Py_NewRef(pair) : PyTuple_Pack(2, name, value);
    }
    PyObject *written = PyUnicode_FromStringAndSize(lower, size);
    PyObject *line = written ? PyTuple_Pack(2, written, value) : NULL;
    Py_XDECREF(written);
    return line;
}

static PyObject *
field_line(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    PyObject *line = count == 2 ? usual_line(args[0], args[1], NULL) : NULL;
    if (!line) {
        PyErr_Clear();
        return call_twin("field_line", args, count);
    }
    return line;
}

/* Make lines from the pairs in a list. Return -1 for anything that the twin has to check. */
static int
check_lines(PyObject *lines)
{
    Py_ssize_t size = PyList_Size(lines);
    for (Py_ssize_t at = 0; at < size; at++) {
        PyObject *pair = PyList_GetItem(lines, at), *line = NULL;
        if (PyTuple_CheckExact(pair) && PyTuple_Size(pair) == 2) {
            line = usual_line(PyTuple_GetItem(pair, 0), PyTuple_GetItem(pair, 1), pair);
        }
        if (!line || PyList_SetItem(lines, at, line) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Append the lines of a tuple whose names aren't in a list. Return -1 for an error. */
static int
append_missing(PyObject *lines, PyObject *others)
{
    Py_ssize_t size = PyList_Size(lines), most = PyTuple_Size(others);
    for (Py_ssize_t at = 0; at < most; at++) {
        PyObject *line = PyTuple_GetItem(others, at), *name = PyTuple_GetItem(line, 0);
        int is_missing = name != NULL;
        for (Py_ssize_t before = 0; before < size && is_missing; before++) {
            is_missing = PyUnicode_Compare(PyTuple_GetItem(PyList_GetItem(lines, before), 0), name) != 0;
        }
        if (!name || PyErr_Occurred() || (is_missing && PyList_Append(lines, line) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* Return the lines of fields, and those of a default that are missing. Return NULL, perhaps with an error, for anything
   that the twin has to check. */
static PyObject *
usual_lines(PyObject *const *args, Py_ssize_t count)
{
    PyObject *lines = NULL;
    if (count == 1 || (count == 2 && PyTuple_Check(args[1]))) {
        if (PyDict_CheckExact(args[0])) {
            lines = PyDict_Items(args[0]);
        }
        else if (PyList_CheckExact(args[0]) || PyTuple_CheckExact(args[0])) {
            lines = PySequence_List(args[0]);
        }
    }
    if (lines && (check_lines(lines) < 0 || (count == 2 && append_missing(lines, args[1]) < 0))) {
        Py_CLEAR(lines);
    }
    return lines;
}

static PyObject *
checked_fields(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    PyObject *lines = usual_lines(args, count);
    if (!lines) {
        PyErr_Clear();
        return call_twin("checked_fields", args, count);
    }
    return lines;
}

/* Return the lines of fields and of a default. Return NULL, perhaps with an error, for anything that the twin of
   ``declared`` has to check, such as a type among the fields. */
static PyObject *
declared_lines(PyObject *const *args)
{
    PyObject *lines = usual_lines(args, 2);
    Py_ssize_t at = lines ? PyList_Size(lines) : 0;
    PyObject *type = at && PyTuple_Size(args[1]) ? PyTuple_GetItem(args[1], 0) : NULL;
    while (at && PyList_GetItem(lines, at - 1) != type) {
        at--;
    }
    if (!at) {
        Py_CLEAR(lines);
    }
    return lines;
}

static PyObject *
declared(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    PyObject *lines = count == 2 ? declared_lines(args) : NULL;
    if (!lines) {
        PyErr_Clear();
        return call_twin("declared", args, count);
    }
    return lines;
}

static PyObject *
text_content(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyTuple_CheckExact(args[0])) {
        return call_twin("text_content", args, count);
    }
    int has_all = Py_SIZE(args[0]) == 3;
    PyObject *body = has_all ? PyTuple_GetItem(args[0], 0) : NULL, *status = has_all ? PyTuple_GetItem(args[0], 1) : NULL;
    long number = body && PyUnicode_CheckExact(body) && PyLong_CheckExact(status) ? PyLong_AsLong(status) : 0;
    if (number < 200 || number >= 204) {
        PyErr_Clear(); /* the number is too large, and is read as -1 */
        return Py_NewRef(Py_None);
    }
    PyObject *fields[] = {PyTuple_GetItem(args[0], 2), args[1]}, *lines = NULL;
    if (!PyDict_CheckExact(fields[0]) || !PyDict_Size(fields[0]) || !(lines = declared_lines(fields))) {
        PyErr_Clear();
        return call_twin("text_content", args, count);
    }
    PyObject *parts[] = {PyUnicode_AsUTF8String(body), lines, Py_NewRef(status)};
    return packed(parts, 3);
}

/* Remove the lines of a name from a list, last ones first. Return -1 for anything that the twin has to check. */
static int
remove_lines(PyObject *fields, PyObject *name)
{
    Py_hash_t hash = PyObject_Hash(name);
    int failed = 0;
    for (Py_ssize_t at = PyList_Size(fields); at-- > 0 && !failed;) {
        PyObject *line = item_of(fields, at), *present = line ? PyTuple_GetItem(line, 0) : NULL;
        if (!present || !PyUnicode_CheckExact(present)) {
            failed = -1;
        }
        else if (PyObject_Hash(present) == hash && PyUnicode_Compare(present, name) == 0) {
            failed = PySequence_DelItem(fields, at);
        }
        Py_XDECREF(line);
    }
    return failed;
}

static PyObject *
put_line(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    int is_usual = count == 2 && PyList_CheckExact(args[0]) && PyTuple_CheckExact(args[1]);
    PyObject *name = is_usual ? PyTuple_GetItem(args[1], 0) : NULL;
    if (!name || !PyUnicode_CheckExact(name) || remove_lines(args[0], name) < 0) {
        PyErr_Clear();
        return call_twin("put_line", args, count);
    }
    return PyList_Append(args[0], args[1]) < 0 ? NULL : Py_NewRef(Py_None);
}

enum { IS_FRAMED = 1, MAY_BE_STORED = 2 };

/* Return 1 if the first directive forbids shared caches to store the response, as in most values that do. */
static int
is_kept_apart(PyObject *value)
{
    Py_ssize_t size, first = 8;
    const char *text = PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, &size) : NULL;
    int is_known = text && size >= 7
        && (memcmp(text, "private", first = 7) == 0 || (size >= 8 && memcmp(text, "no-store", first = 8) == 0));
    return is_known && (size == first || text[first] == ',');
}

/* Return what a line with this name says. */
static int
said_by_name(const char *name, Py_ssize_t size, PyObject *value)
{
    if (size >= 13 && memcmp(name + size - 13, "cache-control", 13) == 0) {
        return size == 13 && is_kept_apart(value) ? 0 : MAY_BE_STORED;
    }
    switch (size) {
    case 7:
        return memcmp(name, "expires", 7) == 0 ? MAY_BE_STORED : 0;
    case 14:
        return memcmp(name, "content-length", 14) == 0 ? IS_FRAMED : 0;
    case 15:
        return memcmp(name, "x-accel-expires", 15) == 0 ? MAY_BE_STORED : 0;
    case 17:
        return memcmp(name, "transfer-encoding", 17) == 0 ? IS_FRAMED
            : memcmp(name, "surrogate-control", 17) == 0  ? MAY_BE_STORED
                                                          : 0;
    }
    return 0;
}

/* Return what the lines say: where the body ends, and that shared caches may store it; -1 for anything but lines. */
static int
said_by(PyObject *fields)
{
    int found = 0;
    for (Py_ssize_t at = 0; found >= 0 && at < PyList_Size(fields); at++) {
        PyObject *line = item_of(fields, at);
        PyObject *name = line && PyTuple_CheckExact(line) && PyTuple_Size(line) == 2 ? PyTuple_GetItem(line, 0) : NULL;
        Py_ssize_t size;
        const char *text = name && PyUnicode_CheckExact(name) ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;
        found = text ? found | said_by_name(text, size, PyTuple_GetItem(line, 1)) : -1;
        Py_XDECREF(line);
    }
    return found;
}

/* Return 1 if the fields may let shared caches store a response; -1 for fields that only the twin knows. */
static int
may_be_stored(PyObject *module, PyObject *fields)
{
    if (PyList_CheckExact(fields)) {
        int said = said_by(fields);
        return said < 0 || said & IS_FRAMED ? -1 : said == MAY_BE_STORED;
    }
    PyObject **plain = kept_in(module) + PLAIN_FIELDS + ((uintptr_t)fields >> 6) % PLAIN;
    if (*plain == fields) {
        return 0;
    }
    PyObject *known = PyTuple_Check(fields) ? PyObject_GetAttr(fields, kept_in(module)[KEY_MAY_BE_STORED]) : NULL;
    int found = known == Py_True ? 1 : known == Py_False ? 0 : -1;
    Py_XDECREF(known);
#ifndef Py_GIL_DISABLED
    if (!found) { /* most responses share few fields, and an attribute takes long to read */
        PyObject *earlier = *plain;
        *plain = Py_NewRef(fields);
        Py_XDECREF(earlier);
    }
#endif
    return found;
}

static PyObject *
message_of(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    int is_usual = count == 4 && PyBytes_CheckExact(args[0]) && PyUnicode_CheckExact(args[3])
        && (args[2] == Py_None || PyLong_CheckExact(args[2]));
    int is_stored = is_usual ? may_be_stored(module, args[1]) : -1;
    long status = is_usual && args[2] != Py_None ? PyLong_AsLong(args[2]) : 200;
    if (is_stored < 0 || status == 204 || status == 205 || status == 304) {
        PyErr_Clear();
        return call_twin("message_of", args, count);
    }
    PyObject *is_silent = PyUnicode_CompareWithASCIIString(args[3], "HEAD") == 0 ? Py_True : Py_False;
    PyObject *number = PyLong_FromLong(status), *length = PyLong_FromSsize_t(Py_SIZE(args[0]));
    PyObject *message = number && length
        ? PyTuple_Pack(6, number, args[1], length, args[0], is_silent, is_stored ? Py_True : Py_False) : NULL;
    Py_XDECREF(length);
    Py_XDECREF(number);
    return message;
}

/* Classes with two members */

OWNING(couple, 2)

/* Return a new reference to a member, or raise AttributeError if it isn't set. */
static PyObject *
member_of(PyObject *self, PyObject *member, const char *name)
{
    return member ? Py_NewRef(member) : PyObject_GetAttrString(self, name);
}

/* Return 1 if a subclass has another attribute by this name. */
static int
is_hidden(PyObject *self, PyObject *instance, PyObject *name)
{
    PyObject *found = PyObject_GetAttr((PyObject *)Py_TYPE(instance), name);
    int hidden = found != self;
    Py_XDECREF(found);
    PyErr_Clear();
    return hidden;
}

/* Store a value on an instance, past what may hide the descriptor, and past `__setattr__`. */
static int
store_once(int hidden, PyObject *instance, PyObject *name, PyObject *value)
{
    if (!hidden) {
        return PyObject_GenericSetAttr(instance, name, value);
    }
    PyObject *values = PyObject_GenericGetDict(instance, NULL);
    int result = values ? PyDict_SetItem(values, name, value) : -1;
    Py_XDECREF(values);
    return result;
}

static PyObject *
computed_once_store(PyObject *self, PyObject *args)
{
    PyObject *name = member_of(self, ((Members *)self)->each[1], "name"), *instance, *value;
    int is_stored = name && PyArg_ParseTuple(args, "OO", &instance, &value)
        && store_once(is_hidden(self, instance, name), instance, name, value) == 0;
    Py_XDECREF(name);
    return is_stored ? Py_NewRef(Py_None) : NULL;
}

/* Return what is in an instance's dictionary, or NULL, also for an error. */
static PyObject *
in_dictionary(PyObject *instance, PyObject *name)
{
    PyObject *values = PyObject_GenericGetDict(instance, NULL);
    PyObject *value = values ? PyDict_GetItemWithError(values, name) : NULL;
    Py_XINCREF(value);
    Py_XDECREF(values);
    return value;
}

static PyObject *
computed_once_get(PyObject *self, PyObject *instance, PyObject *Py_UNUSED(owner))
{
    if (!instance || instance == Py_None) {
        return Py_NewRef(self);
    }
    PyObject *name = member_of(self, ((Members *)self)->each[1], "name");
    int hidden = name && is_hidden(self, instance, name);
    PyObject *value = hidden ? in_dictionary(instance, name) : NULL;
    if (value || PyErr_Occurred()) {
        Py_XDECREF(name);
        return value;
    }
    PyObject *compute = member_of(self, ((Members *)self)->each[0], "compute");
    value = compute ? PyObject_CallFunctionObjArgs(compute, instance, NULL) : NULL;
    static PyObject *pauses; /* in which some values aren't kept */
    int is_kept = value && (pauses || (pauses = twin_of("PAUSES"))) && PyList_Size(pauses) == 0;
    PyObject *kept = !value || is_kept || !pauses ? NULL : PyObject_CallMethod(self, "keep", "OO", instance, value);
    if (value && (is_kept ? store_once(hidden, instance, name, value) < 0 : !kept)) {
        Py_CLEAR(value);
    }
    Py_XDECREF(kept);
    Py_XDECREF(name);
    Py_XDECREF(compute);
    return value;
}

static PyObject *
made_or_read_get(PyObject *self, PyObject *instance, PyObject *owner)
{
    int is_made = !instance || instance == Py_None;
    PyObject *function = is_made ? member_of(self, ((Members *)self)->each[0], "make")
                                 : member_of(self, ((Members *)self)->each[1], "read");
    if (!function) {
        return NULL;
    }
    descrgetfunc bind = is_made ? (descrgetfunc)PyType_GetSlot(Py_TYPE(function), Py_tp_descr_get) : NULL;
    PyObject *value = !is_made ? PyObject_CallFunctionObjArgs(function, instance, NULL)
                      : bind ? bind(function, owner, (PyObject *)Py_TYPE(owner))
                             : Py_NewRef(function);
    Py_DECREF(function);
    return value;
}

static PyObject *
by_name_subscript(PyObject *self, PyObject *name)
{
    PyObject *values = member_of(self, ((Members *)self)->each[0], "_found"), *value = NULL;
    if (values && PyDict_CheckExact(values) && !(value = value_of(values, name)) && !PyErr_Occurred()) {
        PyObject *error = PyObject_CallMethod(self, "_absent", "(O)", name);
        if (error) {
            PyException_SetCause(error, NULL); /* as `from None` does */
            PyErr_SetObject((PyObject *)Py_TYPE(error), error);
            Py_DECREF(error);
        }
    }
    else if (values && !value && !PyErr_Occurred()) {
        value = PyObject_GetItem(values, name);
    }
    Py_XDECREF(values);
    return value;
}

static PyObject *
holding(PyObject *class, PyObject *fields)
{
    if (!PyDict_CheckExact(fields)) {
        return PyObject_CallFunctionObjArgs(class, fields, NULL);
    }
    Members *made = (Members *)((allocfunc)PyType_GetSlot((PyTypeObject *)class, Py_tp_alloc))((PyTypeObject *)class, 0);
    if (made) {
        made->each[0] = Py_NewRef(fields);
        made->each[1] = Py_NewRef(Py_None);
    }
    return (PyObject *)made;
}

static PyMethodDef computed_once_methods[] = {{"store", computed_once_store, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};
static PyMethodDef no_methods[] = {{NULL, NULL, 0, NULL}};
static PyMethodDef by_name_methods[] = {{"_holding", holding, METH_O | METH_CLASS, NULL}, {NULL, NULL, 0, NULL}};

#define CLASS(type, slot, get, one, two, methods)                                            \
    static PyMemberDef get##_members[] = {                                                   \
        {one, T_OBJECT_EX, offsetof(Members, each[0]), 0, NULL},                                \
        {two, T_OBJECT_EX, offsetof(Members, each[1]), 0, NULL},                               \
        {NULL, 0, 0, 0, NULL},                                                               \
    };                                                                                       \
    static PyType_Slot get##_slots[] = {                                                     \
        {slot, (void *)get},                      {Py_tp_traverse, (void *)couple_traverse}, \
        {Py_tp_clear, (void *)couple_clear},      {Py_tp_dealloc, (void *)couple_dealloc},   \
        {Py_tp_members, get##_members},           {Py_tp_methods, methods},  {0, NULL},      \
    };                                                                                       \
    static PyType_Spec get##_spec = {                                                        \
        .name = "antiphon.speedups._speedups." type,                                         \
        .basicsize = offsetof(Members, each[2]),                                             \
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,              \
        .slots = get##_slots,                                                                \
    };

CLASS("ByName", Py_mp_subscript, by_name_subscript, "_found", "_repeating", by_name_methods)
CLASS("ComputedOnce", Py_tp_descr_get, computed_once_get, "compute", "name", computed_once_methods)
CLASS("MadeOrRead", Py_tp_descr_get, made_or_read_get, "make", "read", no_methods)

/* In the order of their enumeration. */
static const char *const keys[] = {
    "_after_hooks", "method", "path", "headers", "root_path", "http_version", "HTTP_HOST", "RAW_URI", "REQUEST_URI",
    "REQUEST_METHOD", "PATH_INFO", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "SERVER_PROTOCOL", "may_be_stored",
};

static int
add_types(PyObject *module)
{
    PyType_Spec *specs[] = {&by_name_subscript_spec, &computed_once_get_spec, &made_or_read_get_spec, &head_spec};
    int failed = 0;
    for (size_t i = 0; !failed && i < sizeof(keys) / sizeof(keys[0]); i++) {
        PyObject *key = kept_in(module)[AFTER_HOOKS + i] = PyUnicode_InternFromString(keys[i]);
        failed = key ? 0 : -1;
    }
    for (size_t i = 0; !failed && i < sizeof(specs) / sizeof(specs[0]); i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, specs[i], NULL);
        failed = type ? PyModule_AddType(module, (PyTypeObject *)type) : -1;
        Py_XDECREF(kept_in(module)[CLASS_OF_HEADS]);
        kept_in(module)[CLASS_OF_HEADS] = type; /* the last of them */
    }
    return failed;
}

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

static PyMethodDef functions[] = {
    FUNCTION(ASGIHead),
    FUNCTION(WSGIHead),
    FUNCTION(add_to_cell),
    FUNCTION(begin_steps),
    FUNCTION(checked_fields),
    FUNCTION(close_run),
    FUNCTION(count_exchange),
    FUNCTION(crossed_bounds),
    FUNCTION(declared),
    FUNCTION(encode_fields),
    FUNCTION(escape_text),
    FUNCTION(field_line),
    FUNCTION(find_line),
    FUNCTION(index_lines),
    FUNCTION(like),
    FUNCTION(message_of),
    FUNCTION(open_in_turn),
    FUNCTION(parse_fields),
    FUNCTION(put_line),
    FUNCTION(read_attribute),
    FUNCTION(record_read),
    FUNCTION(request_as_json),
    FUNCTION(request_as_text),
    FUNCTION(resume),
    FUNCTION(section_size),
    FUNCTION(send_in_place),
    FUNCTION(set_defaults),
    FUNCTION(split_cookies),
    FUNCTION(split_usual_form),
    FUNCTION(text_content),
    {NULL, NULL, 0, NULL},
};

#ifndef Py_mod_multiple_interpreters
#define Py_mod_multiple_interpreters 3
#define Py_MOD_PER_INTERPRETER_GIL_SUPPORTED ((void *)2)
#endif

static PyModuleDef_Slot slots_before_3_12[] = {
    {Py_mod_exec, (void *)add_types},
    {0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)add_types},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static void
release_kept(void *module)
{
    for (PyObject **kept = kept_in(module), **end = kept + ALL_KEPT; kept < end; kept++) {
        Py_CLEAR(*kept);
    }
}

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "antiphon.speedups._speedups",
    .m_size = ALL_KEPT * sizeof(PyObject *),
    .m_methods = functions,
    .m_slots = slots,
    .m_free = release_kept,
};

PyMODINIT_FUNC
PyInit__speedups(void)
{
    if (Py_Version < 0x030c0000) {
        definition.m_slots = slots_before_3_12;
    }
    return PyModuleDef_Init(&definition);
}
