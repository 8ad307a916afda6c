/* A compute module for the loader's tests: with a device that does nothing but close, and, by
 * macro, one flaw. */
#include <stdlib.h>

#include "device.h"

#ifndef MODULE_ABI
#define MODULE_ABI KB_DEVICE_ABI
#endif
#ifndef DEVICE_ABI
#define DEVICE_ABI KB_DEVICE_ABI
#endif
#ifndef OPEN_FAILS
#define OPEN_FAILS 0
#endif

/* The only device: the tests have one open at a time, and never close one with a flaw. */
static void close_device(kb_device *dev)
{
    dev->ops = NULL;
}

static const kb_device_ops ops = {.abi = DEVICE_ABI, .name = "good", .close = close_device};

static kb_status open_device(kb_device **out, kb_error *err)
{
    static kb_device device;
    *out = NULL;
    if (OPEN_FAILS)
        return kb_fail(err, KB_ERR_DEVICE, "sorry, it is broken");
    device.ops = &ops;
    *out = &device;
    return KB_OK;
}

extern const kb_device_module_table kb_device_module;
const kb_device_module_table kb_device_module = {MODULE_ABI, open_device};
