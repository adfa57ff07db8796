/* Pure functions of antiphon in C. Each has a twin in Python, marked @accelerated, which says what the function does:
   read that first. A function here knows the usual arguments only. For all others it calls its twin, so that the
   unusual, errors included, is written once.

   Of Python's C API this uses the limited part, as of 3.11: one binary serves that version and all later ones. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

typedef unsigned char byte;

/* Call the twin of a function with the same arguments. */
static PyObject *
call_twin(const char *name, PyObject *const *args, Py_ssize_t count)
{
    PyObject *result = NULL, *twin = NULL, *all = NULL;
    PyObject *package = PyImport_ImportModule("antiphon.speedups");
    PyObject *twins = package ? PyObject_GetAttrString(package, "PURE") : NULL;
    if (twins) {
        twin = PyMapping_GetItemString(twins, name);
        all = PyTuple_New(count);
    }
    if (twin && all) {
        Py_ssize_t at = 0;
        while (at < count && PyTuple_SetItem(all, at, Py_NewRef(args[at])) == 0) {
            at++;
        }
        result = at == count ? PyObject_CallObject(twin, all) : NULL;
    }
    Py_XDECREF(all);
    Py_XDECREF(twin);
    Py_XDECREF(twins);
    Py_XDECREF(package);
    return result;
}

/* Append (first, second) to a list, and release all but the list. Take NULL for an error that is set. */
static int
append_pair(PyObject *list, PyObject *first, PyObject *second)
{
    PyObject *pair = first && second ? PyTuple_Pack(2, first, second) : NULL;
    int failed = pair ? PyList_Append(list, pair) : -1;
    Py_XDECREF(pair);
    Py_XDECREF(second);
    Py_XDECREF(first);
    return failed;
}

/* The value of a hexadecimal digit, or 16. */
static unsigned
hex_value(byte digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - (unsigned)'0';
    }
    unsigned letter = (digit | 0x20U) - (unsigned)'a';
    return letter < 6 ? letter + 10 : 16;
}

/* Write what is from `start` to `end` with its escapes undone and its plus signs as spaces. `to` has room for all of
   it. Return where the written ends. */
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
    const byte *stop = undo_escapes(start, end, room);
    return PyUnicode_DecodeUTF8((const char *)room, stop - room, "replace");
}

static int
append_field(PyObject *pairs, const byte *start, const byte *end, byte *room)
{
    const byte *equals = memchr(start, '=', (size_t)(end - start));
    const byte *name_end = equals ? equals : end, *value = equals ? equals + 1 : end;
    PyObject *name = decode_field(start, name_end, room);
    return append_pair(pairs, name, name ? decode_field(value, end, room) : NULL);
}

static PyObject *
read_fields(const byte *start, const byte *end, byte *room)
{
    PyObject *pairs = PyList_New(0);
    while (pairs && start < end) {
        const byte *found = memchr(start, '&', (size_t)(end - start));
        const byte *field_end = found ? found : end;
        if (field_end > start && append_field(pairs, start, field_end, room) < 0) {
            Py_CLEAR(pairs);
        }
        start = field_end + 1;
    }
    return pairs;
}

#define ON_STACK 512

static PyObject *
parse_pairs(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count != 1 || !PyBytes_CheckExact(args[0])) {
        return call_twin("parse_pairs", args, count);
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
    PyObject *pairs = read_fields(start, start + size, large ? large : room);
    PyMem_Free(large);
    return pairs;
}

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

static PyMethodDef functions[] = {
    FUNCTION(parse_pairs),
    {NULL, NULL, 0, NULL},
};

#ifndef Py_mod_multiple_interpreters
#define Py_mod_multiple_interpreters 3
#define Py_MOD_PER_INTERPRETER_GIL_SUPPORTED ((void *)2)
#endif

static PyModuleDef_Slot slots_before_3_12[] = {{0, NULL}};

static PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "antiphon.speedups._speedups",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__speedups(void)
{
    if (Py_Version < 0x030c0000) {
        definition.m_slots = slots_before_3_12;
    }
    return PyModuleDef_Init(&definition);
}
