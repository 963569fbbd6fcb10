# SPDX-License-Identifier: LGPL-2.1-or-later
"""Virtual machines under QEMU's own emulation, and what they are made of."""
