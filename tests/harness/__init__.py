# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the system tests stand on: private hosts, real libvirtd, real clients."""
