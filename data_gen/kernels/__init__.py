"""The library's drawing, compiled: the steps of `captcha` and Pillow without their detours.

Each step repeats what Pillow 12 does for `captcha.image`, rounding included, so that the picture is
the library's byte for byte. What is not repeated is what nobody sees or what need not be done
again: invisible spacers, masks and tables that are the same each time, a Python object for every
picture between. Each module names the function that it stands for; tests/test_kernels.py compares
the two.

Floating point is used as IEEE 754 defines it: addition, multiplication and division in the order of
the C code, never fused, never reassociated. So bytes depend neither on the processor nor on the
width of its registers.
"""
