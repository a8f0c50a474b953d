/* A disk that keeps a journal of what is done to it, and fails on demand: preloaded into a server by tests/disk.
 *
 * DISK_ROOT     folder that is watched; shared-memory files (*-shm) are not, they do not outlive a process
 * DISK_JOURNAL  where operations are written, in the order in which they took place
 * DISK_FAULT    while this file is there, its first byte fails operations: S writes with ENOSPC, W writes with EIO, F waits with EIO
 * DISK_LIES     if set, waits (fsync) succeed and are left out of the journal
 *
 * A record: kind (1 byte), length of the path (2), offset (8), length of the data (8), path below the root, data.
 * Kinds: C created, W written, T cut to `offset`, S file is on disk, D folder is on disk, U removed, R renamed to what the data says.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *root, *fault;
static size_t root_length;
static int journal = -1, lies;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    root = getenv("DISK_ROOT");
    fault = getenv("DISK_FAULT");
    lies = getenv("DISK_LIES") != NULL;
    const char *path = getenv("DISK_JOURNAL");
    if (!root || !path) return;
    root_length = strlen(root);
    journal = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ends(const char *text, const char *end) {
    size_t a = strlen(text), b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

/* The part of a path below the root, or NULL. */
static const char *below(const char *path) {
    if (journal < 0 || strncmp(path, root, root_length) != 0) return NULL;
    if (path[root_length] == 0) return "";
    if (path[root_length] != '/' || ends(path, "-shm") || ends(path, " (deleted)")) return NULL;
    return path + root_length + 1;
}

static const char *of_descriptor(int fd, char *path, size_t size) {
    if (journal < 0) return NULL;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    return below(path);
}

static void put(const void *data, size_t length) {
    while (length > 0) {
        ssize_t done = syscall(SYS_write, journal, data, length);
        if (done <= 0) abort();
        data = (const char *)data + done;
        length -= done;
    }
}

static void record(char kind, const char *path, uint64_t offset, const void *data, uint64_t length) {
    unsigned char head[19];
    uint16_t name = strlen(path);
    head[0] = kind;
    memcpy(head + 1, &name, 2);
    memcpy(head + 3, &offset, 8);
    memcpy(head + 11, &length, 8);
    put(head, sizeof head);
    put(path, name);
    put(data, length);
}

static int failing(char kind) {
    if (!fault) return 0;
    int fd = syscall(SYS_openat, AT_FDCWD, fault, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return 0;
    char how = 0;
    ssize_t got = syscall(SYS_read, fd, &how, 1);
    syscall(SYS_close, fd);
    if (got != 1) return 0;
    if (how == 'S' && kind == 'W') return ENOSPC;
    if (how == 'W' && kind == 'W') return EIO;
    if (how == 'F' && kind == 'S') return EIO;
    return 0;
}

static int opened(int folder, const char *path, int flags, mode_t mode) {
    const char *name = below(path);
    if (!name || !(flags & (O_CREAT | O_TRUNC))) return syscall(SYS_openat, folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    int new = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    int fd = syscall(SYS_openat, folder, path, flags, mode);
    int error = errno;
    if (fd >= 0 && new) record('C', name, 0, "", 0);
    if (fd >= 0 && !new && (flags & O_TRUNC)) record('T', name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return fd;
}

#define MODE(flags, mode) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags, mode) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags, mode) return opened(folder, path, flags, mode); }

static ssize_t written(int fd, const void *data, size_t length, int64_t at) {
    char path[4096];
    const char *name = of_descriptor(fd, path, sizeof path);
    if (!name) return at < 0 ? syscall(SYS_write, fd, data, length) : syscall(SYS_pwrite64, fd, data, length, at);
    pthread_mutex_lock(&lock);
    int error = failing('W');
    ssize_t done = -1;
    if (!error) {
        int64_t from = at;
        if (at < 0) {
            struct stat now;
            int flags = fcntl(fd, F_GETFL);
            from = lseek(fd, 0, SEEK_CUR);
            if ((flags & O_APPEND) && fstat(fd, &now) == 0) from = now.st_size;
        }
        done = at < 0 ? syscall(SYS_write, fd, data, length) : syscall(SYS_pwrite64, fd, data, length, at);
        error = errno;
        if (done > 0) record('W', name, from, data, done);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

ssize_t write(int fd, const void *data, size_t length) { return written(fd, data, length, -1); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return written(fd, data, length, at); }
ssize_t pwrite64(int fd, const void *data, size_t length, off_t at) { return written(fd, data, length, at); }

static int cut(int fd, off_t length) {
    char path[4096];
    const char *name = of_descriptor(fd, path, sizeof path);
    if (!name) return syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    int done = syscall(SYS_ftruncate, fd, length), error = errno;
    if (done == 0) record('T', name, length, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off_t length) { return cut(fd, length); }

static int waited(int fd, long number) {
    char path[4096];
    const char *name = of_descriptor(fd, path, sizeof path);
    if (!name) return syscall(number, fd);
    pthread_mutex_lock(&lock);
    int error = failing('S'), done = -1;
    if (!error) {
        struct stat what;
        /* The journal says what is on disk; whether this machine's disk has it is of no interest. */
        done = fstat(fd, &what);
        error = errno;
        if (done == 0 && !lies) record(S_ISDIR(what.st_mode) ? 'D' : 'S', name, 0, "", 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int fsync(int fd) { return waited(fd, SYS_fsync); }
int fdatasync(int fd) { return waited(fd, SYS_fdatasync); }

static int removed(int folder, const char *path, int flags) {
    const char *name = below(path);
    if (!name) return syscall(SYS_unlinkat, folder, path, flags);
    pthread_mutex_lock(&lock);
    int done = syscall(SYS_unlinkat, folder, path, flags), error = errno;
    if (done == 0) record('U', name, 0, "", 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}

int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return removed(folder, path, flags); }

int rename(const char *from, const char *to) {
    const char *old = below(from), *new = below(to);
    if (!old || !new) return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    pthread_mutex_lock(&lock);
    int done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0), error = errno;
    if (done == 0) record('R', old, 0, new, strlen(new));
    pthread_mutex_unlock(&lock);
    errno = error;
    return done;
}
