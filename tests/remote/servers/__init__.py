# SPDX-License-Identifier: LGPL-2.1-or-later
"""Servers that the tests of connections start: real ones, each for one test or class."""
