/* The bounds of JSON that is read, checked in one pass, and the records in a value that is written. */

#include "_speedups.h"
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) || defined(_M_X64)
#define HAS_SSE2
#include <emmintrin.h>
#endif

#define BLOCK 64
#define SLOW_EXPONENT 4 /* bytes of the shortest slow exponent, `e100` */
#define NUL "\\u0000"
#define NUL_SIZE 6
#define WITHOUT_GIL (1 << 20) /* bytes from which other threads may run: reacquiring the GIL may take 5 ms */
#define MOST_LEVELS 50 /* of a written value that are searched here: a deeper one may contain itself */

enum { NO_BOUND, DEPTH_BOUND, SLOW_NUMBERS, NULS = 4, UNBALANCED = 8 };

typedef struct {
    const byte *at, *end;
    int is_in_string;
    Py_ssize_t level, depth, slow, most, found_nuls, nuls;
} Scan;

/* Return a bit for each byte of a block that equals `wanted` once the `added` bits are set, lowest bit first. */
#ifdef HAS_SSE2
static uint64_t
find_bytes(const byte *block, byte added, byte wanted)
{
    uint64_t found = 0;
    for (int part = 0; part < BLOCK; part += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + part));
        __m128i equal =
            _mm_cmpeq_epi8(_mm_or_si128(bytes, _mm_set1_epi8((char)added)), _mm_set1_epi8((char)wanted));
        found |= (uint64_t)(unsigned)_mm_movemask_epi8(equal) << part;
    }
    return found;
}
#else
static uint64_t
find_bytes(const byte *block, byte added, byte wanted)
{
    uint64_t found = 0;
    for (int part = 0; part < BLOCK; part++) {
        found |= (uint64_t)((block[part] | added) == wanted) << part;
    }
    return found;
}
#endif

static int
lowest_bit(uint64_t bits)
{
#ifdef __GNUC__
    return __builtin_ctzll(bits);
#else
    int place = 0;
    for (; !(bits & 1); bits >>= 1) {
        place++;
    }
    return place;
#endif
}

/* Return each bit's parity together with all lower bits: set from a string's first quote to just before its last. */
static uint64_t
fill_strings(uint64_t quotes)
{
    for (int distance = 1; distance < BLOCK; distance *= 2) {
        quotes ^= quotes << distance;
    }
    return quotes;
}

/* Return 1 if three digits follow, with or without a sign. */
static int
is_slow_exponent(const byte *at, const byte *end)
{
    at += at < end && (*at == '+' || *at == '-');
    return end - at >= 3 && (at[0] ^ '0') < 10 && (at[1] ^ '0') < 10 && (at[2] ^ '0') < 10;
}

/* Process a byte outside strings. Return the bound that it crosses. */
static int
take_mark(Scan *scan, const byte *at)
{
    switch (*at) {
    case '[':
    case '{':
        return ++scan->level > scan->depth ? DEPTH_BOUND : NO_BOUND;
    case ']':
    case '}':
        return --scan->level < 0 ? UNBALANCED : NO_BOUND;
    case 'e':
    case 'E':
        scan->slow += is_slow_exponent(at + 1, scan->end);
        return NO_BOUND;
    default:
        return NO_BOUND;
    }
}

/* Scan a block without a backslash. Return the bound that it crosses. */
static int
scan_block(Scan *scan)
{
    const byte *block = scan->at;
    uint64_t strings = fill_strings(find_bytes(block, 0, '"')) ^ (scan->is_in_string ? UINT64_MAX : 0);
    uint64_t marks = find_bytes(block, 0x20, '{') | find_bytes(block, 0x20, '}') | find_bytes(block, 0x20, 'e');
    for (marks &= ~strings; marks; marks &= marks - 1) {
        int bound = take_mark(scan, block + lowest_bit(marks));
        if (bound) {
            return bound;
        }
    }
    scan->is_in_string = (int)(strings >> (BLOCK - 1));
    scan->at += BLOCK;
    return NO_BOUND;
}

/* Scan byte by byte up to `stop`, or to the end of an escape that begins before it. Return the bound crossed. */
static int
scan_bytes(Scan *scan, const byte *stop)
{
    for (; scan->at < stop; scan->at++) {
        if (*scan->at == '"') {
            scan->is_in_string = !scan->is_in_string;
        }
        else if (*scan->at == '\\') {
            const byte *next = scan->at + 1;
            scan->found_nuls += scan->end - scan->at >= NUL_SIZE && !memcmp(scan->at, NUL, NUL_SIZE);
            scan->at += next < scan->end && (*next == '"' || *next == '\\');
        }
        else if (!scan->is_in_string) {
            int bound = take_mark(scan, scan->at);
            if (bound) {
                return bound;
            }
        }
    }
    return NO_BOUND;
}

static int
scan_all(Scan *scan)
{
    int bound = NO_BOUND;
    while (!bound && scan->at < scan->end) {
        int is_short = scan->end - scan->at < BLOCK;
        if (is_short || find_bytes(scan->at, 0, '\\')) {
            bound = scan_bytes(scan, is_short ? scan->end : scan->at + BLOCK);
        }
        else {
            bound = scan_block(scan);
        }
    }
    if (bound || scan->level) {
        return bound ? bound : UNBALANCED;
    }
    return (scan->slow > scan->most ? SLOW_NUMBERS : 0) | (scan->found_nuls > scan->nuls ? NULS : 0);
}

/* Return 1 for short text with few opening brackets, in strings or not: compilers count 64 bytes in a few steps. */
static int
crosses_none(const Scan *scan)
{
    const byte *at = scan->at, *end = scan->end;
    Py_ssize_t size = end - at, count = 0;
    if (size / SLOW_EXPONENT > scan->most || (size / NUL_SIZE > scan->nuls && memchr(at, '\\', (size_t)size))) {
        return 0;
    }
    for (; end - at >= BLOCK; at += BLOCK) {
        byte some = 0;
        for (int each = 0; each < BLOCK; each++) {
            some = (byte)(some + ((at[each] | 0x20) == '{')); /* which differs from `[` in that bit */
        }
        count += some;
    }
    while (at < end) {
        count += (*at++ | 0x20) == '{';
    }
    return count <= scan->depth;
}

PyObject *
crossed_bounds(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    int bound = UNBALANCED;
    if (count == 4 && PyBytes_CheckExact(args[0])) {
        Scan scan = {.at = (const byte *)PyBytes_AsString(args[0])};
        scan.end = scan.at + PyBytes_Size(args[0]);
        scan.depth = PyLong_AsSsize_t(args[1]);
        scan.most = PyLong_AsSsize_t(args[2]);
        scan.nuls = PyLong_AsSsize_t(args[3]);
        PyErr_Clear(); /* what is too large, or is not a number, is read as -1 */
        int are_usual = scan.depth >= 0 && scan.most >= 0 && scan.nuls >= 0;
        if (are_usual && scan.end - scan.at < WITHOUT_GIL) {
            bound = crosses_none(&scan) ? NO_BOUND : scan_all(&scan);
        }
        else if (are_usual) {
            Py_BEGIN_ALLOW_THREADS
            bound = scan_all(&scan); /* the caller owns the data, which never changes */
            Py_END_ALLOW_THREADS
        }
    }
    return bound == UNBALANCED ? call_twin("crossed_bounds", args, count) : PyLong_FromLong(bound);
}

/* Return 1 if a value surely contains no record, searched as by the twin. */
static int
is_plain(PyObject *value, int depth)
{
    if (value == Py_None || PyUnicode_CheckExact(value) || PyLong_CheckExact(value) || PyBool_Check(value)
        || PyFloat_CheckExact(value) || PyBytes_CheckExact(value)) {
        return 1;
    }
    int is_list = PyList_CheckExact(value) || PyTuple_CheckExact(value);
    if (!depth || !(is_list || PyDict_CheckExact(value))) {
        return 0;
    }
    PyObject *parts = is_list ? PySequence_List(value) : PyDict_Values(value);
    Py_ssize_t size = parts ? PyList_Size(parts) : 0, at = 0;
    if (is_list && size > 1 && PyDict_CheckExact(PyList_GetItem(parts, 0))) {
        size = 1;
    }
    while (at < size && is_plain(PyList_GetItem(parts, at), depth - 1)) {
        at++;
    }
    int is_whole = parts && at == size;
    Py_XDECREF(parts);
    return is_whole;
}

PyObject *
set_defaults(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count)
{
    if (count == 1 && is_plain(args[0], MOST_LEVELS)) {
        return Py_NewRef(Py_None);
    }
    PyErr_Clear();
    return call_twin("set_defaults", args, count);
}
