/* Declarations for all source files of the extension. */

#ifndef ANTIPHON_SPEEDUPS_H
#define ANTIPHON_SPEEDUPS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

typedef unsigned char byte;

/* Return the twin of a function or class. */
PyObject *twin_of(const char *name);

/* Call a function, or the twin of this name, with the same arguments. */
PyObject *call_with(PyObject *function, PyObject *const *args, Py_ssize_t count);
PyObject *call_twin(const char *name, PyObject *const *args, Py_ssize_t count);

/* The names of fields and cookies that were read last, each at the place that its characters determine, the lines that
   were encoded last, keys, and classes in Python. */

#define NAMES 256
#define PLAIN 8

enum kept {
    KEPT_LINES = NAMES, AFTER_HOOKS = 2 * NAMES, KEY_METHOD, KEY_PATH, KEY_HEADERS, KEY_ROOT_PATH, KEY_HTTP_VERSION,
    KEY_HTTP_HOST, KEY_RAW_URI, KEY_REQUEST_URI, KEY_REQUEST_METHOD, KEY_PATH_INFO, KEY_CONTENT_LENGTH,
    KEY_HTTP_TRANSFER_ENCODING, KEY_SERVER_PROTOCOL, KEY_MAY_BE_STORED, CLASS_OF_ASGI,
    CLASS_OF_WSGI, CLASS_OF_HEADS, NOTHING_READ, PLAIN_FIELDS,
    ALL_KEPT = PLAIN_FIELDS + PLAIN,
};

static inline PyObject **
kept_in(PyObject *module)
{
    return (PyObject **)PyModule_GetState(module);
}

/* Return a new reference to the value of a dictionary; NULL, perhaps with an error, if there is none. */
static inline PyObject *
value_of(PyObject *values, PyObject *name)
{
#ifdef Py_GIL_DISABLED
    PyObject *value = NULL;
    (void)PyDict_GetItemRef(values, name, &value);
    return value;
#else
    return Py_XNewRef(PyDict_GetItemWithError(values, name));
#endif
}

/* Objects with members, of which their class says how many. */

#define MOST_MEMBERS 15

typedef struct {
    PyObject_HEAD
    PyObject *each[MOST_MEMBERS];
} Members;

#define OWNING(name, count)                                                        \
    static int name##_traverse(PyObject *self, visitproc visit, void *arg)         \
    {                                                                              \
        for (int at = 0; at < (count); at++) {                                     \
            Py_VISIT(((Members *)self)->each[at]);                                 \
        }                                                                          \
        Py_VISIT(Py_TYPE(self));                                                   \
        return 0;                                                                  \
    }                                                                              \
    static int name##_clear(PyObject *self)                                        \
    {                                                                              \
        for (int at = 0; at < (count); at++) {                                     \
            Py_CLEAR(((Members *)self)->each[at]);                                 \
        }                                                                          \
        return 0;                                                                  \
    }                                                                              \
    static void name##_dealloc(PyObject *self)                                     \
    {                                                                              \
        PyTypeObject *type = Py_TYPE(self);                                        \
        freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);             \
        PyObject_GC_UnTrack(self);                                                 \
        name##_clear(self);                                                        \
        release(self);                                                             \
        Py_DECREF(type);                                                           \
    }

int read_section(PyObject *lines, PyObject **index, PyObject **host, PyObject **is_framed, PyObject **length);

/* Of _cells.c */
PyObject *add_to_cell(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *count_exchange(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Of _heads.c */
extern PyType_Spec head_spec;
PyObject *ASGIHead(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *WSGIHead(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *record_read(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Of _json.c */
PyObject *crossed_bounds(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *set_defaults(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Of _logs.c */
PyObject *request_as_json(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *request_as_text(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Of _templates.c */
PyObject *escape_text(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *read_attribute(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
