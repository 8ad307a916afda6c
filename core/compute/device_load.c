#include "device_load.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static kb_status load_failed(kb_error *err, const char *what)
{
    const char *reason = dlerror();
    return kb_fail(err, KB_ERR_DEVICE, "%s cannot be loaded: %s", what,
                   reason ? reason : "unknown reason");
}

static const char *cuda_failure(int code)
{
    switch (code) {
    case 34:
        return "the toolkit's stub stands in place of the driver";
    case 100:
        return "no GPU was found";
    case 803:
        return "the driver's library and its kernel module do not match";
    case 999:
        return "the driver does not answer";
    default:
        return "the driver cannot be used";
    }
}

kb_status kb_device_probe_cuda(const char *library, kb_error *err)
{
    void *driver = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!driver)
        return load_failed(err, "the NVIDIA driver");
    int (*init)(unsigned) = NULL;
    *(void **)&init = dlsym(driver, "cuInit");
    int code = init ? init(0) : 34;
    if (!code)
        return KB_OK; /* stays loaded: the module needs it, and a driver that was initialised should
                         not be unloaded */
    dlclose(driver);
    return kb_fail(err, KB_ERR_DEVICE, "no usable GPU: %s (cuInit: %d)", cuda_failure(code), code);
}

static bool is_module_name(const char *name)
{
    return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

/* Checks what the module claims to be, then opens its device. */
static kb_status open_with(kb_device **out, void *module, const char *path, kb_error *err)
{
    const kb_device_module_table *table = dlsym(module, "kb_device_module");
    if (!table)
        return kb_fail(err, KB_ERR_DEVICE, "%s: not a compute module (no kb_device_module in it)",
                       path);
    if (table->abi != KB_DEVICE_ABI)
        return kb_fail(err, KB_ERR_DEVICE,
                       "%s: built for compute interface %u, this program has %u", path,
                       (unsigned)table->abi, (unsigned)KB_DEVICE_ABI);
    kb_status status = table->open(out, err);
    if (status)
        return status;
    uint32_t abi = (*out)->ops->abi;
    if (abi == KB_DEVICE_ABI)
        return KB_OK;
    *out = NULL; /* its table cannot be trusted, not even to close it */
    return kb_fail(err, KB_ERR_DEVICE, "%s: its device has compute interface %u, this program %u",
                   path, (unsigned)abi, (unsigned)KB_DEVICE_ABI);
}

kb_status kb_device_open_module_in(kb_device **out, const char *folder, const char *name,
                                   kb_error *err)
{
    *out = NULL;
    char path[4096];
    if (!is_module_name(name))
        return kb_fail(err, KB_ERR_DEVICE, "'%s' is not a name of a compute module", name);
    int length = snprintf(path, sizeof path, "%s/kaboom-%s.so", folder, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return kb_fail(err, KB_ERR_DEVICE, "the path of the compute module '%s' is too long", name);
    if (access(path, F_OK) != 0)
        return kb_fail(err, KB_ERR_DEVICE, "the compute module '%s' is not installed (%s)", name,
                       path);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return load_failed(err, "the compute module");
    kb_status status = open_with(out, module, path, err);
    /* A device's code has to outlive the device, and the libraries below it do not like to be
     * unloaded: a module that works stays. */
    if (status)
        dlclose(module);
    return status;
}

kb_status kb_device_open_module(kb_device **out, const char *name, kb_error *err)
{
    *out = NULL;
    if (strcmp(name, "cuda") == 0) {
        kb_status status = kb_device_probe_cuda("libcuda.so.1", err);
        if (status)
            return status;
    }
    return kb_device_open_module_in(out, KB_PKGLIBDIR, name, err);
}

void kb_device_close(kb_device *dev)
{
    if (dev)
        dev->ops->close(dev);
}
