/* Declarations for all source files of the extension. */

#ifndef ANTIPHON_SPEEDUPS_H
#define ANTIPHON_SPEEDUPS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

typedef unsigned char byte;

/* Call the twin of a function with the same arguments. */
PyObject *call_twin(const char *name, PyObject *const *args, Py_ssize_t count);

/* Of _cells.c */
PyObject *add_to_cell(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *count_exchange(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Of _json.c */
PyObject *crossed_bound(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *set_defaults(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Of _logs.c */
PyObject *request_as_json(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *request_as_text(PyObject *module, PyObject *const *args, Py_ssize_t count);

/* Of _templates.c */
PyObject *escape_text(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *read_attribute(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif
