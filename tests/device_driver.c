/* A stand-in for a GPU driver whose start ends with CU_INIT; without it, a library that is neither
 * driver nor module. */
#ifdef CU_INIT
int cuInit(unsigned flags);

int cuInit(unsigned flags)
{
    return flags ? 1 : CU_INIT;
}
#else
int kb_nothing_here(void);

int kb_nothing_here(void)
{
    return 0;
}
#endif
