/*
 * A disk that fails, for one process: preloaded (LD_PRELOAD), this makes calls on files below
 * $FAILING_DISK fail with EIO as long as $FAILING_DISK_FAULTS holds a file of one of these names:
 *
 *   sync       fsync and fdatasync. What was not synced is gone from the file: the kernel forgets
 *              what it could not write, and takes the pages for clean.
 *   sync-once  the same for one call only; the next one says that all is well (fsyncgate).
 *   sync-hang  fsync and fdatasync again, which do not return before the file is gone.
 *   write      writes.
 *   read       reads. Of mapped files all pages: the kernel ends a process that touches one which
 *              cannot be read with SIGBUS.
 *
 * These are the calls of LevelDB (its log through stdio, its tables mapped) and of Node.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The function of this name that is called without us. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_on_disk(const char *path) {
  const char *disk = getenv("FAILING_DISK");
  return disk != NULL && strncmp(path, disk, strlen(disk)) == 0;
}

static int is_on(const char *fault) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", getenv("FAILING_DISK_FAULTS"), fault);
  const int is_for_one = strcmp(fault, "sync-once") == 0;
  return (is_for_one ? unlink(path) : access(path, F_OK)) == 0;
}

/* Puts pages behind the end of an empty file in the place of all that are mapped from the disk. */
static void lose_mapped_pages(void) {
  unsigned long from, to;
  char line[8192], path[4096];
  FILE *maps = fopen("/proc/self/maps", "r");
  const int empty = memfd_create("unreadable", MFD_CLOEXEC);
  while (fgets(line, sizeof line, maps) != NULL) {
    if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %4095s", &from, &to, path) != 3) continue;
    if (!is_on_disk(path)) continue;
    REAL(mmap64)((void *)from, to - from, PROT_READ, MAP_SHARED | MAP_FIXED, empty, 0);
  }
  close(empty);
  fclose(maps);
}

static int fails(const char *fault, int fd) {
  char link[64], path[4096] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (readlink(link, path, sizeof path - 1) < 0 || !is_on_disk(path)) return 0;
  if (is_on("read")) lose_mapped_pages();
  if (!is_on(fault)) return 0;
  errno = EIO;
  return 1;
}

static int sync_file(int fd, int (*sync)(int)) {
  /* By descriptor: how much of which file is on the disk for certain. */
  static struct {
    ino_t file;
    off_t bytes;
  } synced[1 << 16];
  struct stat now;
  if (fstat(fd, &now) < 0) return -1;
  while (fails("sync-hang", fd)) usleep(10000);
  if (fails("sync", fd) || fails("sync-once", fd)) {
    const off_t from = synced[fd].file == now.st_ino ? synced[fd].bytes : 0;
    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, now.st_size - from);
    errno = EIO;
    return -1;
  }
  const int result = sync(fd);
  if (result < 0) return result;
  synced[fd].file = now.st_ino;
  synced[fd].bytes = now.st_size;
  return 0;
}

int fsync(int fd) { return sync_file(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_file(fd, REAL(fdatasync)); }

/* What stdio itself asks of the kernel does not come by here, so its functions have to. */
#undef fwrite_unlocked
#undef fread_unlocked

size_t fwrite_unlocked(const void *from, size_t size, size_t count, FILE *file) {
  return fails("write", fileno(file)) ? 0 : REAL(fwrite_unlocked)(from, size, count, file);
}

int fflush_unlocked(FILE *file) {
  return fails("write", fileno(file)) ? EOF : REAL(fflush_unlocked)(file);
}

ssize_t write(int fd, const void *from, size_t count) {
  return fails("write", fd) ? -1 : REAL(write)(fd, from, count);
}

ssize_t pwrite64(int fd, const void *from, size_t count, off64_t at) {
  return fails("write", fd) ? -1 : REAL(pwrite64)(fd, from, count, at);
}

size_t fread_unlocked(void *to, size_t size, size_t count, FILE *file) {
  return fails("read", fileno(file)) ? 0 : REAL(fread_unlocked)(to, size, count, file);
}

ssize_t read(int fd, void *to, size_t count) {
  return fails("read", fd) ? -1 : REAL(read)(fd, to, count);
}

ssize_t pread64(int fd, void *to, size_t count, off64_t at) {
  return fails("read", fd) ? -1 : REAL(pread64)(fd, to, count, at);
}

/* A file that is mapped only now. */
void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t from) {
  const int of = fd >= 0 && fails("read", fd) ? memfd_create("unreadable", MFD_CLOEXEC) : fd;
  return REAL(mmap64)(at, length, protection, flags, of, from);
}
