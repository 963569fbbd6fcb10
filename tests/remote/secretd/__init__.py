# SPDX-License-Identifier: LGPL-2.1-or-later
"""The secrets daemon of systemd/, started and confined as its units say."""
