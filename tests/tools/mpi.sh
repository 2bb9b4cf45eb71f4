# The settings of mpirun for the tests: as root, more ranks than cores, by memory alone (a machine
# may have no network). They are environment variables, since options differ: OMPI_ are of Open MPI
# 4, or of both versions, PRTE_ of Open MPI 5.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl=^tcp
export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
# Without /sys, hwloc complains on every rank.
export HWLOC_HIDE_ERRORS=2
