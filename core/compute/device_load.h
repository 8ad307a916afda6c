/* device_load: what kb_device_open_module is made of, so that tests can point it at other folders
 * and drivers. */
#ifndef KB_DEVICE_LOAD_H
#define KB_DEVICE_LOAD_H

#include "device.h"

/* Opens FOLDER/kaboom-NAME.so. NAME: lower-case letters, digits and '-'. KB_ERR_DEVICE, with a line
 * that names the file, when it is missing, is no compute module, was built for another
 * KB_DEVICE_ABI, or cannot open its device. */
kb_status kb_device_open_module_in(kb_device **out, const char *folder, const char *name,
                                   kb_error *err);

/* Asks the CUDA driver LIBRARY (usually "libcuda.so.1") whether it works, which costs far less than
 * loading the module to find that it does not. KB_ERR_DEVICE with the reason when there is no
 * usable driver or GPU. */
kb_status kb_device_probe_cuda(const char *library, kb_error *err);

#endif
