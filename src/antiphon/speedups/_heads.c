/* Heads of requests: the members of their classes, which are in Python, and the usual heads, read in one pass. */

#include "_speedups.h"
#include <stddef.h>

enum {
    ENVIRON, SCOPE, METHOD, PATH, HOST, HAS_BODY, LEFT, FIELDS, LENGTH, RECEIVE, SEND, HAS_MORE, WATCH, NEXT,
    READS
};

#define MEMBER(name, at) {name, T_OBJECT_EX, offsetof(Members, each[at]), 0, NULL}

static PyMemberDef members[] = {
    MEMBER("environ", ENVIRON), MEMBER("scope", SCOPE), MEMBER("method", METHOD), MEMBER("path", PATH),
    MEMBER("host_line", HOST), MEMBER("has_body", HAS_BODY), MEMBER("_left", LEFT), MEMBER("_fields", FIELDS),
    MEMBER("uncoded_length", LENGTH), MEMBER("_receive", RECEIVE), MEMBER("send", SEND),
    MEMBER("_has_more", HAS_MORE), MEMBER("watch", WATCH), MEMBER("_next", NEXT),
    {"reads", T_OBJECT, offsetof(Members, each[READS]), 0, NULL}, /* None unless anything was read */
    {NULL, 0, 0, 0, NULL},
};

OWNING(head, MOST_MEMBERS)

static PyType_Slot slots[] = {
    {Py_tp_traverse, (void *)head_traverse}, {Py_tp_clear, (void *)head_clear},
    {Py_tp_dealloc, (void *)head_dealloc},   {Py_tp_members, members},          {0, NULL},
};

PyType_Spec head_spec = {
    .name = "antiphon.speedups._speedups.HeadMembers",
    .basicsize = sizeof(Members),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

/* Without the GIL, two threads may read the first value at once. */
#ifndef Py_BEGIN_CRITICAL_SECTION
#define Py_BEGIN_CRITICAL_SECTION(object) {
#define Py_END_CRITICAL_SECTION() }
#endif

PyObject *
record_read(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    if (count != 2 || !PyObject_TypeCheck(args[0], (PyTypeObject *)kept_in(module)[CLASS_OF_HEADS])) {
        return call_twin("record_read", args, count);
    }
    PyObject *after = NULL, *before = NULL, *recorder, *result, **nothing = kept_in(module) + NOTHING_READ;
    if (!*nothing && !(*nothing = twin_of("NOTHING_READ"))) {
        return NULL;
    }
    Py_BEGIN_CRITICAL_SECTION(args[0]);
    PyObject **reads = ((Members *)args[0])->each + READS;
    before = *reads && *reads != Py_None ? *reads : *nothing;
    recorder = PyDict_CheckExact(before) ? NULL : Py_NewRef(before);
    after = recorder ? NULL : value_of(before, args[1]);
    before = after ? *reads : NULL;
    *reads = after ? after : *reads;
    Py_END_CRITICAL_SECTION();
    Py_XDECREF(before);
    if (after || PyErr_Occurred()) {
        return after ? Py_NewRef(Py_None) : NULL;
    }
    result = recorder ? PyObject_CallMethod(recorder, "record", "OO", args[0], args[1])
                      : call_twin("record_read", args, count);
    Py_XDECREF(recorder);
    return result;
}

/* Return a head with these members. Without them, let its class in Python read it, in spite of an error. */
static PyObject *
head_of(PyObject *module, enum kept at, const char *name, PyObject *const *args, Py_ssize_t count, PyObject **values)
{
    PyObject **class = kept_in(module) + at;
    PyErr_Clear();
    if (!*class && (*class = twin_of(name)) && !PyObject_HasAttrString(*class, "environ")) {
        Py_CLEAR(*class); /* its objects would have no room for members */
        PyErr_SetString(PyExc_TypeError, "a class of heads must be derived from HeadMembers in C");
    }
    if (!*class) {
        return NULL;
    }
    if (!values) {
        return call_with(*class, args, count);
    }
    PyObject *head = ((allocfunc)PyType_GetSlot((PyTypeObject *)*class, Py_tp_alloc))((PyTypeObject *)*class, 0);
    for (int each = 0; head && each < MOST_MEMBERS; each++) {
        ((Members *)head)->each[each] = Py_XNewRef(values[each]);
    }
    return head;
}

/* Return a borrowed value of a dictionary; NULL, perhaps with an error, if there is none. */
static PyObject *
value_at(PyObject *module, PyObject *values, enum kept name)
{
    return values ? PyDict_GetItemWithError(values, kept_in(module)[name]) : NULL;
}

/* Return 1 for text with this character at a place; 0, mostly with an error, for anything else. */
static int
has_at(PyObject *text, Py_ssize_t at, Py_UCS4 character)
{
    return text && PyUnicode_ReadChar(text, at) == character;
}

PyObject *
ASGIHead(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *scope = count == 3 && PyDict_CheckExact(args[0]) ? args[0] : NULL;
    PyObject *method = value_at(module, scope, KEY_METHOD), *path = value_at(module, scope, KEY_PATH);
    PyObject *lines = value_at(module, scope, KEY_HEADERS), *root = value_at(module, scope, KEY_ROOT_PATH);
    PyObject *version = value_at(module, scope, KEY_HTTP_VERSION);
    int is_new = version && PyUnicode_ReadChar(version, 0) >= '2';
    PyObject *values[MOST_MEMBERS] = {
        [SCOPE] = scope,  [METHOD] = method,    [PATH] = path,     [RECEIVE] = count == 3 ? args[1] : NULL,
        [WATCH] = Py_None, [HAS_MORE] = Py_True, [NEXT] = Py_None,     [SEND] = count == 3 ? args[2] : NULL,
    };
    int is_usual = method && lines && has_at(path, 0, '/') && (!root || !PyUnicode_GetLength(root)) && !PyErr_Occurred()
        && read_section(lines, &values[FIELDS], &values[HOST], &values[HAS_BODY], &values[LENGTH]);
    values[HAS_BODY] = is_new ? Py_True : values[HAS_BODY];
    PyObject *head = head_of(module, CLASS_OF_ASGI, "ASGIHead", args, count, is_usual ? values : NULL);
    Py_XDECREF(values[FIELDS]);
    Py_XDECREF(values[LENGTH]);
    return head;
}

PyObject *
WSGIHead(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *environ = count == 1 && PyDict_CheckExact(args[0]) ? args[0] : NULL;
    PyObject *method = value_at(module, environ, KEY_REQUEST_METHOD), *path = value_at(module, environ, KEY_PATH_INFO);
    PyObject *uri = value_at(module, environ, KEY_REQUEST_URI), *raw = value_at(module, environ, KEY_RAW_URI);
    PyObject *length = value_at(module, environ, KEY_CONTENT_LENGTH), *host = value_at(module, environ, KEY_HTTP_HOST);
    PyObject *coding = value_at(module, environ, KEY_HTTP_TRANSFER_ENCODING);
    Py_ssize_t size = 0;
    int is_usual = method && path && PyUnicode_AsUTF8AndSize(path, &size) && size && size == PyUnicode_GetLength(path)
        && (!uri || has_at(uri, 0, '/')) && (!raw || has_at(raw, 0, '/'))
        && has_at(value_at(module, environ, KEY_SERVER_PROTOCOL), 5, '1') && !PyErr_Occurred();
    int is_empty = !length || length == Py_None || (PyUnicode_Check(length) && !PyUnicode_GetLength(length));
    PyObject *values[MOST_MEMBERS] = {
        [ENVIRON] = environ, [METHOD] = method, [PATH] = path, [HOST] = host ? host : Py_None,
        [LEFT] = Py_None,    [HAS_BODY] = is_empty && !coding ? Py_False : Py_True,
    };
    return head_of(module, CLASS_OF_WSGI, "WSGIHead", args, count, is_usual ? values : NULL);
}
