/* Functions that compiled templates call for each expression. */

#include "_speedups.h"
#include <string.h>

/* Clear an error of this type. Return 0 if a different error is set. */
static int
clear_error(PyObject *type)
{
    int is_such = PyErr_ExceptionMatches(type);
    if (is_such) {
        PyErr_Clear();
    }
    return is_such;
}

/* Call `environment.undefined(obj=value, name=name)`. */
static PyObject *
undefined(PyObject *environment, PyObject *value, PyObject *name)
{
    PyObject *type = PyObject_GetAttrString(environment, "undefined");
    PyObject *nothing = type ? PyTuple_New(0) : NULL;
    PyObject *options = nothing ? Py_BuildValue("{sOsO}", "obj", value, "name", name) : NULL;
    PyObject *result = options ? PyObject_Call(type, nothing, options) : NULL;
    Py_XDECREF(options);
    Py_XDECREF(nothing);
    Py_XDECREF(type);
    return result;
}

/* Return a new reference to an attribute by name; NULL, without an error, if there is none. */
static PyObject *
attribute_of(PyObject *value, PyObject *name)
{
    PyObject *found = name ? PyObject_GetAttr(value, name) : NULL;
    if (name && !found) {
        (void)clear_error(PyExc_AttributeError);
    }
    return found;
}

/* Do the same for an item. */
static PyObject *
item_of(PyObject *value, PyObject *name)
{
    PyObject *found = PyDict_CheckExact(value) ? value_of(value, name) : PyObject_GetItem(value, name);
    if (!found && PyErr_Occurred() && !clear_error(PyExc_LookupError) && !clear_error(PyExc_TypeError)) {
        (void)clear_error(PyExc_AttributeError);
    }
    return found;
}

PyObject *
read_attribute(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 3 || !PyUnicode_CheckExact(args[2])) {
        return call_twin("read_attribute", args, count);
    }
    PyObject *value = args[1], *name = args[2];
    PyObject *found = PyDict_CheckExact(value) ? NULL : attribute_of(value, name);
    if (!found && !PyErr_Occurred()) {
        found = item_of(value, name);
    }
    return found || PyErr_Occurred() ? found : undefined(args[0], value, name);
}

/* Return the escape of a character; NULL if it is written unchanged. */
static const char *
escaped(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&#34;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* Return the number of bytes that escaping adds to a text. */
static Py_ssize_t
size_of_escapes(const char *at, const char *end)
{
    Py_ssize_t size = 0;
    for (; at < end; at++) {
        const char *written = *at <= '>' ? escaped(*at) : NULL;
        size += written ? (Py_ssize_t)strlen(written) - 1 : 0;
    }
    return size;
}

static void
write_escaped(const char *at, const char *end, char *to)
{
    for (; at < end; at++) {
        const char *written = *at <= '>' ? escaped(*at) : NULL;
        if (!written) {
            *to++ = *at;
        }
        while (written && *written) {
            *to++ = *written++;
        }
    }
}

#define LONG_TEXT 256
#define LARGEST (LONG_TEXT * 5) /* the maximum: one character becomes five bytes, or four that stay */

/* Escape a string; this consumes the reference to it. MarkupSafe, which checks several characters at once, is faster for
   long strings. Their UTF-8 would also be cached with them, and half of a surrogate pair can't be encoded in UTF-8. */
static PyObject *
escape_string(PyObject *markup, PyObject *text)
{
    Py_ssize_t size, added = 0;
    const char *start = PyUnicode_GetLength(text) <= LONG_TEXT ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
    PyObject *result = NULL;
    if (start && !(added = size_of_escapes(start, start + size))) {
        return text;
    }
    if (start) {
        char room[LARGEST];
        write_escaped(start, start + size, room);
        result = PyUnicode_FromStringAndSize(room, size + added);
    }
    else if (!PyErr_Occurred() || clear_error(PyExc_UnicodeError)) {
        result = PyObject_CallMethod(markup, "escape", "O", text);
    }
    Py_DECREF(text);
    return result;
}

/* Return a new reference to the method of a value that makes HTML, or to NotImplemented. It calls Python's getattr,
   which looks up a missing attribute without raising an error first; that would take longer than all the rest. */
static PyObject *
html_method_of(PyObject *value)
{
    PyObject *builtins = PyEval_GetBuiltins(), *name = PyUnicode_InternFromString("__html__");
    PyObject *get = name ? PyMapping_GetItemString(builtins, "getattr") : NULL;
    PyObject *method = get ? PyObject_CallFunctionObjArgs(get, value, name, Py_NotImplemented, NULL) : NULL;
    Py_XDECREF(get);
    Py_XDECREF(name);
    return method;
}

/* Return a new reference to the HTML that a value returns for itself, or to NotImplemented. */
static PyObject *
html_of(PyObject *markup, PyObject *value)
{
    PyObject *method = html_method_of(value);
    if (!method || method == Py_NotImplemented) {
        return method;
    }
    PyObject *html = PyObject_CallObject(method, NULL);
    Py_DECREF(method);
    if (!html || PyUnicode_CheckExact(html) || Py_IS_TYPE(html, (PyTypeObject *)markup)) {
        return html;
    }
    PyObject *result = PyObject_CallFunctionObjArgs(markup, html, NULL);
    Py_DECREF(html);
    return result;
}

/* Numbers and None, whose text needs no escaping. */
static int
is_plainly_written(PyObject *value)
{
    return PyLong_CheckExact(value) || PyFloat_CheckExact(value) || PyBool_Check(value) || value == Py_None;
}

PyObject *
escape_text(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyType_Check(args[0]) || !PyType_IsSubtype((PyTypeObject *)args[0], &PyUnicode_Type)) {
        return call_twin("escape_text", args, count);
    }
    PyObject *markup = args[0], *value = args[1];
    if (PyUnicode_CheckExact(value)) {
        return escape_string(markup, Py_NewRef(value));
    }
    if (is_plainly_written(value)) {
        return PyObject_Str(value);
    }
    if (Py_IS_TYPE(value, (PyTypeObject *)markup)) {
        return Py_NewRef(value);
    }
    PyObject *html = html_of(markup, value);
    if (html != Py_NotImplemented) {
        return html;
    }
    Py_DECREF(html);
    PyObject *text = PyObject_Str(value);
    if (text && !PyUnicode_CheckExact(text)) {
        PyObject *given = text;
        text = PyUnicode_FromObject(given);
        Py_DECREF(given);
    }
    return text ? escape_string(markup, text) : NULL;
}
