#include <stdio.h>

int main(void) {
  puts("f5lua " F5LUA_VERSION);
  return 0;
}
