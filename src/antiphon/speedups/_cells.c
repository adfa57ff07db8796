/* Metric cells: 64-bit integers in memory that processes may share. Threads add to them without a lock. */

#include "_speedups.h"
#include <stdint.h>
#include <string.h>

#ifdef _MSC_VER
#include <intrin.h>
#define ADD(cell, amount) ((void)_InterlockedExchangeAdd64((volatile long long *)(cell), (amount)))
#else
#define ADD(cell, amount) ((void)__atomic_fetch_add((cell), (amount), __ATOMIC_RELAXED))
#endif

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const double SECONDS[] = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10};
static const int64_t BYTES[] = {100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

enum {
    RECEIVED = LENGTH(SECONDS) + 2,
    SENT = RECEIVED + LENGTH(BYTES) + 2,
    EXCHANGE = SENT + LENGTH(BYTES) + 2,
};

/* Get a writable buffer of cells. Return 0, without an error, for any other object. */
static int
take_cells(PyObject *object, Py_buffer *cells)
{
    if (PyObject_GetBuffer(object, cells, PyBUF_FORMAT | PyBUF_CONTIG) < 0) {
        PyErr_Clear();
        return 0;
    }
    if (cells->ndim == 1 && cells->itemsize == 8 && cells->format && strcmp(cells->format, "q") == 0 &&
        (uintptr_t)cells->buf % 8 == 0) {
        return 1;
    }
    PyBuffer_Release(cells);
    return 0;
}

/* Read an integer within bounds. Return 0, without an error, for anything else. */
static int
read_whole(PyObject *object, int64_t lowest, int64_t highest, int64_t *number)
{
    int overflow = 0;
    if (!PyLong_CheckExact(object)) {
        return 0;
    }
    *number = PyLong_AsLongLongAndOverflow(object, &overflow);
    return !overflow && *number >= lowest && *number <= highest;
}

PyObject *
add_to_cell(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Py_buffer cells;
    int64_t at, amount;
    if (count == 3 && take_cells(args[0], &cells)) {
        int is_usual = read_whole(args[1], 0, cells.shape[0] - 1, &at) &&
                       read_whole(args[2], -(INT64_C(1) << 53), INT64_C(1) << 53, &amount);
        if (is_usual) {
            ADD((int64_t *)cells.buf + at, amount);
        }
        PyBuffer_Release(&cells);
        if (is_usual) {
            return Py_NewRef(Py_None);
        }
    }
    return call_twin("add_to_cell", args, count);
}

/* Add a size to the buckets and the sum that start at `cell`. */
static void
count_size(int64_t *cell, int64_t size)
{
    size_t bucket = 0;
    while (bucket < LENGTH(BYTES) && BYTES[bucket] < size) {
        bucket++;
    }
    ADD(cell + bucket, 1);
    ADD(cell + LENGTH(BYTES) + 1, size);
}

PyObject *
count_exchange(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    Py_buffer cells;
    int64_t active, at, received, sent;
    if (count == 6 && PyFloat_CheckExact(args[3]) && take_cells(args[0], &cells)) {
        double seconds = PyFloat_AsDouble(args[3]);
        int is_usual = read_whole(args[1], 0, cells.shape[0] - 1, &active) &&
                       read_whole(args[2], 0, cells.shape[0] - EXCHANGE, &at) &&
                       read_whole(args[4], 0, INT64_C(1) << 53, &received) &&
                       read_whole(args[5], 0, INT64_C(1) << 53, &sent) && seconds >= 0 && seconds < 1e9;
        if (is_usual) {
            int64_t *cell = (int64_t *)cells.buf + at;
            size_t bucket = 0;
            while (bucket < LENGTH(SECONDS) && SECONDS[bucket] < seconds) {
                bucket++;
            }
            ADD(cell + bucket, 1);
            ADD(cell + LENGTH(SECONDS) + 1, (int64_t)(seconds * 1e9));
            count_size(cell + RECEIVED, received);
            count_size(cell + SENT, sent);
            ADD((int64_t *)cells.buf + active, -1);
        }
        PyBuffer_Release(&cells);
        if (is_usual) {
            return Py_NewRef(Py_None);
        }
    }
    return call_twin("count_exchange", args, count);
}
