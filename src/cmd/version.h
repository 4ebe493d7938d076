/*
 * version: which payonce is this? The build says it (meson.build, project version).
 */
#ifndef CMD_VERSION_H
#define CMD_VERSION_H

#ifndef PAYONCE_VERSION
#error "the build defines PAYONCE_VERSION"
#endif

#endif
